//! The code of the guide's pages on other data layers, and on what is done once: each file here is a block of its page, word for word.

pub mod diesel;
pub mod once;
pub mod sea_orm;
pub mod sqlx;

/// The pages, whose examples are compiled.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../../docs/guide/alone-is-not-once.md")]
    mod alone_is_not_once {}

    #[doc = include_str!("../../../docs/guide/sqlx.md")]
    mod sqlx {}

    #[doc = include_str!("../../../docs/guide/diesel.md")]
    mod diesel {}

    #[doc = include_str!("../../../docs/guide/sea-orm.md")]
    mod sea_orm {}
}
