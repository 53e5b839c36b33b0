//! What the house asks of functions, as far as a parser can tell.

use crate::{published, root};
use proc_macro2::Span;
use std::fs;
use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::{Attribute, Expr, ImplItemFn, ItemFn, Lit, Meta, Signature, Visibility};

/// The functions of the published crates that a rule finds wrong.
#[derive(Default)]
struct Found {
    file: String,
    long: Vec<String>,
    silent: Vec<String>,
}

impl Found {
    fn in_published() -> Self {
        let mut found = Self::default();
        for path in published() {
            let text = fs::read_to_string(&path).expect("UTF-8");
            found.file = path.strip_prefix(root()).unwrap_or(&path).display().to_string();
            found.visit_file(&syn::parse_file(&text).expect("it compiles"));
        }
        found
    }

    fn function(&mut self, name: &Signature, all: Span) {
        let lines = all.end().line - name.span().start().line + 1;
        if lines > 25 {
            self.long.push(format!("{}: {} has {lines} lines", self.file, name.ident));
        }
    }
}

impl Visit<'_> for Found {
    fn visit_item_fn(&mut self, it: &ItemFn) {
        self.function(&it.sig, it.block.span());
    }

    fn visit_impl_item_fn(&mut self, it: &ImplItemFn) {
        self.function(&it.sig, it.block.span());
        let public = matches!(it.vis, Visibility::Public(_)) && it.sig.asyncness.is_some();
        if public && !tells(&it.attrs, "# Cancel safety") {
            self.silent.push(format!("{}: {}", self.file, it.sig.ident));
        }
    }
}

fn tells(attributes: &[Attribute], words: &str) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::NameValue(it) if it.path.is_ident("doc") => match &it.value {
            Expr::Lit(text) => matches!(&text.lit, Lit::Str(text) if text.value().contains(words)),
            _ => false,
        },
        _ => false,
    })
}

#[test]
fn functions_fit_in_25_lines() {
    let found = Found::in_published();
    assert!(found.long.is_empty(), "{:#?}", found.long);
}

#[test]
fn every_public_async_function_tells_what_a_drop_does() {
    let found = Found::in_published();
    assert!(found.silent.is_empty(), "{:#?}", found.silent);
}
