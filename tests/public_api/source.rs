//! A crate's sources, read.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use syn::{Item, Meta};

/// The modules of a crate by name, the root under the empty one. Tests are left out.
pub(crate) fn modules(root: &Path) -> BTreeMap<String, Vec<Item>> {
    let mut modules = BTreeMap::new();
    let items = parsed(root);
    for name in items.iter().filter_map(file_module) {
        let file = root.with_file_name(format!("{name}.rs"));
        let nested = modules.insert(name, parsed(&file));
        assert!(nested.is_none(), "{} twice", file.display());
    }
    modules.insert(String::new(), items);
    modules
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
