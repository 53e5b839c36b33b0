//! The code of the guide's pages on other data layers: each file here is a block of its page, word for word.

pub mod diesel;
pub mod sea_orm;
pub mod sqlx;

/// The pages, whose examples are compiled.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../../docs/guide/sqlx.md")]
    mod sqlx {}

    #[doc = include_str!("../../../docs/guide/diesel.md")]
    mod diesel {}

    #[doc = include_str!("../../../docs/guide/sea-orm.md")]
    mod sea_orm {}
}
