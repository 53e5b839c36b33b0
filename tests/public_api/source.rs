//! A crate's sources, read.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use syn::{Item, Meta};

/// The modules of a crate by their paths, the root under the empty one. Tests are left out.
pub(crate) fn modules(root: &Path) -> BTreeMap<String, Vec<Item>> {
    let mut modules = BTreeMap::new();
    let directory = root.parent().expect("a crate's root is in a directory");
    add(String::new(), parsed(root), directory, &mut modules);
    modules
}

/// Adds a module whose own modules are in this directory.
fn add(
    path: String,
    items: Vec<Item>,
    directory: &Path,
    modules: &mut BTreeMap<String, Vec<Item>>,
) {
    for name in items.iter().filter_map(file_module) {
        let nested = if path.is_empty() { name.clone() } else { format!("{path}::{name}") };
        let items = parsed(&directory.join(format!("{name}.rs")));
        add(nested, items, &directory.join(&name), modules);
    }
    modules.insert(path, items);
}

fn parsed(file: &Path) -> Vec<Item> {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{file:?}: {error}"));
    let items = syn::parse_file(&text).expect("it compiles").items;
    items.into_iter().filter(|item| !is_test(item)).collect()
}

fn file_module(item: &Item) -> Option<String> {
    match item {
        Item::Mod(module) if module.content.is_none() => Some(module.ident.to_string()),
        _ => None,
    }
}

fn is_test(item: &Item) -> bool {
    let Item::Mod(module) = item else { return false };
    module.attrs.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
        _ => false,
    })
}
