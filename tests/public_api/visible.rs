//! An item as its users see it: without docs, bodies and what is private.

use syn::punctuated::Punctuated;
use syn::{
    Attribute, Block, Field, Fields, ImplItem, Item, ItemImpl, ItemStruct, ItemTrait, TraitItem,
    Type, Visibility, parse_quote,
};

pub(crate) fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// What a public item shows; `None` where it is private.
pub(crate) fn visible(mut item: Item) -> Option<Item> {
    let (attributes, visibility) = match &mut item {
        Item::Const(it) => (&mut it.attrs, &it.vis),
        Item::Enum(it) => {
            it.variants.iter_mut().for_each(|variant| {
                plain(&mut variant.attrs);
                variant.fields.iter_mut().for_each(|field| plain(&mut field.attrs));
            });
            (&mut it.attrs, &it.vis)
        }
        Item::Fn(it) => {
            *it.block = empty();
            (&mut it.attrs, &it.vis)
        }
        Item::Struct(it) => {
            fields(it);
            (&mut it.attrs, &it.vis)
        }
        Item::Trait(it) => {
            members(it);
            (&mut it.attrs, &it.vis)
        }
        Item::Type(it) => (&mut it.attrs, &it.vis),
        _ => return None,
    };
    plain(attributes);
    is_public(visibility).then_some(item)
}

/// Keeps what changes how an item may be used.
pub(crate) fn plain(attributes: &mut Vec<Attribute>) {
    let kept = ["cfg", "derive", "non_exhaustive", "must_use", "deprecated"];
    attributes.retain(|attribute| kept.iter().any(|name| attribute.path().is_ident(name)));
}

fn empty() -> Block {
    parse_quote!({})
}

/// Private fields become one field `_`: that there are some is public.
fn fields(it: &mut ItemStruct) {
    it.fields.iter_mut().for_each(|field| plain(&mut field.attrs));
    match &mut it.fields {
        Fields::Named(named) => {
            let (shown, hidden) = parted(&named.named);
            named.named = shown.into_iter().collect();
            if hidden {
                named.named.push(parse_quote!(private: _));
            }
        }
        Fields::Unnamed(unnamed) => {
            let private = unnamed.unnamed.iter_mut().filter(|field| !is_public(&field.vis));
            private.for_each(|field| field.ty = Type::Infer(parse_quote!(_)));
        }
        Fields::Unit => {}
    }
}

fn parted(fields: &Punctuated<Field, syn::Token![,]>) -> (Vec<Field>, bool) {
    let shown: Vec<Field> = fields.iter().filter(|field| is_public(&field.vis)).cloned().collect();
    let hidden = shown.len() < fields.len();
    (shown, hidden)
}

fn members(it: &mut ItemTrait) {
    for member in &mut it.items {
        match member {
            TraitItem::Const(it) => plain(&mut it.attrs),
            TraitItem::Type(it) => plain(&mut it.attrs),
            TraitItem::Fn(it) => {
                plain(&mut it.attrs);
                it.default.iter_mut().for_each(|body| *body = empty());
            }
            _ => {}
        }
    }
}

/// Of a trait's implementation its types and constants; of a type's own one what is public.
pub(crate) fn visible_impl(mut it: ItemImpl) -> Option<ItemImpl> {
    let of_a_trait = it.trait_.is_some();
    plain(&mut it.attrs);
    it.items.retain_mut(|member| match member {
        ImplItem::Const(it) => {
            plain(&mut it.attrs);
            of_a_trait || is_public(&it.vis)
        }
        ImplItem::Fn(it) => {
            plain(&mut it.attrs);
            it.block = empty();
            !of_a_trait && is_public(&it.vis)
        }
        ImplItem::Type(it) => {
            plain(&mut it.attrs);
            true
        }
        _ => false,
    });
    (of_a_trait || !it.items.is_empty()).then_some(it)
}
