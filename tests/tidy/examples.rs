//! What the documentation shows of each method that users call.

use crate::{published, root};
use std::collections::BTreeMap;
use std::fs;
use syn::{Attribute, Expr, ImplItem, ImplItemFn, Item, ItemImpl, Lit, Meta, Type, Visibility};

/// What users hold.
const HELD: [&str; 22] = [
    "All",
    "Alone",
    "AnyKey",
    "Database",
    "Digest",
    "Guard",
    "Held",
    "HeldAlone",
    "Key",
    "Lock",
    "Locks",
    "LocksBuilder",
    "Lost",
    "Mode",
    "Name",
    "OwnedGuard",
    "Permit",
    "Request",
    "Semaphore",
    "Term",
    "Wait",
    "XactLock",
];

/// What drivers alone call.
const FOR_DRIVERS: [&str; 4] = ["from_raw", "map_raw", "millis", "normal"];

/// The public methods of what users hold: the type, the method, and its documentation.
fn methods() -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    for path in published() {
        let place = path.strip_prefix(root()).unwrap_or(&path);
        let is_library = !place.starts_with("crates/dlock-cli");
        let text = fs::read_to_string(&path).expect("UTF-8");
        let items = syn::parse_file(&text).expect("it compiles").items;
        let blocks = items.iter().filter_map(|item| match item {
            Item::Impl(block) if block.trait_.is_none() && is_library => Some(block),
            _ => None,
        });
        found.extend(blocks.flat_map(methods_of));
    }
    found
}

fn methods_of(block: &ItemImpl) -> Vec<(String, String, String)> {
    let Type::Path(path) = &*block.self_ty else { return Vec::new() };
    let name = path.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
    let functions = block.items.iter().filter_map(|item| match item {
        ImplItem::Fn(function) if is_for_users(function) => Some(function),
        _ => None,
    });
    let functions = functions.filter(|_| HELD.contains(&name.as_str()));
    functions.map(|it| (name.clone(), it.sig.ident.to_string(), documentation(&it.attrs))).collect()
}

fn is_for_users(function: &ImplItemFn) -> bool {
    let name = function.sig.ident.to_string();
    matches!(function.vis, Visibility::Public(_)) && !FOR_DRIVERS.contains(&name.as_str())
}

fn documentation(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(it) if it.path.is_ident("doc") => match &it.value {
            Expr::Lit(text) => match &text.lit {
                Lit::Str(text) => Some(text.value() + "\n"),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    });
    lines.collect()
}

#[test]
fn every_method_that_users_call_has_an_example() {
    let methods = methods();
    assert!(methods.len() > 120, "{}", methods.len());
    let bare = methods.iter().filter(|(_, _, text)| !text.contains("```"));
    let bare: Vec<_> = bare.map(|(of, name, _)| format!("{of}::{name}")).collect();
    assert!(bare.is_empty(), "{bare:#?}");
}

/// Users depend on `dlock-db`, and a line that is copied is to compile there.
#[test]
fn examples_of_methods_name_the_umbrella_alone() {
    let names = ["use dlock_core::", "use dlock_locks::"];
    let methods = methods();
    let others = methods.iter().filter(|(_, _, text)| names.iter().any(|name| text.contains(name)));
    let others: Vec<_> = others.map(|(of, name, _)| format!("{of}::{name}")).collect();
    assert!(others.is_empty(), "{others:#?}");
}

/// On a page of methods each says what it alone does.
#[test]
fn no_two_methods_of_a_type_begin_alike() {
    let mut sentences: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for (of, name, text) in methods() {
        let first = text.trim_start().split(". ").next().unwrap_or_default();
        let first = first.split("\n\n").next().unwrap_or_default().trim().to_owned();
        let names = sentences.entry((of, first)).or_default();
        // The same method of two drivers' types may say the same.
        if !names.contains(&name) {
            names.push(name);
        }
    }
    sentences.retain(|_, names| names.len() > 1);
    assert!(sentences.is_empty(), "{sentences:#?}");
}
