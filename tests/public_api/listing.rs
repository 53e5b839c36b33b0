//! The public items of a crate, as text.

use crate::source::modules;
use crate::visible::{is_public, plain, visible, visible_impl};
use std::collections::BTreeMap;
use std::path::Path;
use syn::{Item, ItemImpl, ItemUse, Type, UseTree};

type Modules = BTreeMap<String, Vec<Item>>;

/// Everything that the crate with this root shows, by name: each item, then what it implements.
pub(crate) fn of(root: &Path) -> String {
    let modules = modules(root);
    let mut shown = BTreeMap::new();
    for item in &modules[""] {
        match item {
            Item::Use(it) if is_public(&it.vis) => exported(&modules, it, &mut shown),
            other => add(other, &mut shown),
        }
    }
    let mut implementations: Vec<(String, String)> = implementations(&modules, &shown);
    implementations.sort();
    let mut entries: Vec<(String, u8, String)> =
        shown.into_iter().map(|(name, text)| (name, 0, text)).collect();
    entries.extend(implementations.into_iter().map(|(name, text)| (name, 1, text)));
    entries.sort();
    entries.into_iter().map(|(_, _, text)| text).collect::<Vec<_>>().join("\n")
}

fn add(item: &Item, shown: &mut BTreeMap<String, String>) {
    if let Some((name, item)) = name(item).zip(visible(item.clone())) {
        assert!(shown.insert(name.clone(), printed(item)).is_none(), "{name} is there twice");
    }
}

/// What a `pub use` of the root names: an item of a module's, or of another crate's.
fn exported(modules: &Modules, it: &ItemUse, shown: &mut BTreeMap<String, String>) {
    let UseTree::Path(path) = &it.tree else { return add_foreign(it, shown) };
    let Some(items) = modules.get(&path.ident.to_string()) else { return add_foreign(it, shown) };
    for leaf in leaves(&path.tree) {
        let is_it = |item: &&Item| name(item).as_deref() == Some(leaf.as_str());
        // The module may have it from one of its own.
        let found = items.iter().find(is_it).or_else(|| modules.values().flatten().find(is_it));
        add(found.unwrap_or_else(|| panic!("{leaf} is exported from afar")), shown);
    }
}

fn add_foreign(it: &ItemUse, shown: &mut BTreeMap<String, String>) {
    let mut it = it.clone();
    plain(&mut it.attrs);
    shown.insert(format!("use {}", leaves(&it.tree).join(" ")), printed(Item::Use(it)));
}

fn leaves(tree: &UseTree) -> Vec<String> {
    match tree {
        UseTree::Path(path) => leaves(&path.tree),
        UseTree::Name(name) => vec![name.ident.to_string()],
        UseTree::Rename(rename) => vec![rename.rename.to_string()],
        UseTree::Group(group) => group.items.iter().flat_map(leaves).collect(),
        UseTree::Glob(_) => panic!("no globs here"),
    }
}

fn name(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(it) => &it.ident,
        Item::Enum(it) => &it.ident,
        Item::Fn(it) => &it.sig.ident,
        Item::Struct(it) => &it.ident,
        Item::Trait(it) => &it.ident,
        Item::Type(it) => &it.ident,
        _ => return None,
    };
    Some(name.to_string())
}

/// The implementations of types shown, and of traits shown; under the type's name where it is.
fn implementations(modules: &Modules, shown: &BTreeMap<String, String>) -> Vec<(String, String)> {
    let items = modules.values().flatten();
    let all = items.filter_map(|item| match item {
        Item::Impl(it) => Some(it.clone()),
        _ => None,
    });
    let named = all.filter_map(|it| Some((heading(&it, shown)?, visible_impl(it)?)));
    named.map(|(name, it)| (name, printed(Item::Impl(it)))).collect()
}

fn heading(it: &ItemImpl, shown: &BTreeMap<String, String>) -> Option<String> {
    let of_type = match &*it.self_ty {
        Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
        _ => None,
    };
    let of_trait = it.trait_.as_ref().and_then(|(_, path, _)| path.segments.last());
    let of_trait = of_trait.map(|last| last.ident.to_string());
    let local = of_type.filter(|name| shown.contains_key(name));
    // A session of somebody else's becomes a lock: that is an implementation of `dlock_core`'s trait.
    local.or_else(|| of_trait.filter(|name| shown.contains_key(name) || name == "Session"))
}

fn printed(item: Item) -> String {
    prettyplease::unparse(&syn::File { shebang: None, attrs: Vec::new(), items: vec![item] })
}
