//! Whatever names a lock, names one on every server that takes it.

use dlock_db::KeyError;
use std::borrow::Cow;
use std::sync::Arc;

/// Each form in which a text comes, as one key.
fn texts<K>() -> Vec<K>
where
    K: TryFrom<String, Error: Into<KeyError>>
        + TryFrom<&'static str, Error: Into<KeyError>>
        + TryFrom<&'static &'static str, Error: Into<KeyError>>
        + TryFrom<&'static String, Error: Into<KeyError>>
        + TryFrom<Cow<'static, str>, Error: Into<KeyError>>
        + TryFrom<Arc<str>, Error: Into<KeyError>>
        + TryFrom<Box<str>, Error: Into<KeyError>>
        + TryFrom<Vec<u8>, Error: Into<KeyError>>
        + TryFrom<&'static [u8], Error: Into<KeyError>>
        + TryFrom<&'static [u8; 10], Error: Into<KeyError>>
        + TryFrom<[u8; 10], Error: Into<KeyError>>,
{
    let text = "invoice:42";
    let leaked: &String = Box::leak(Box::new(text.to_owned()));
    vec![
        made(text),
        made(&"invoice:42"),
        made(text.to_owned()),
        made(leaked),
        made(Cow::Borrowed(text)),
        made(Cow::<str>::Owned(text.to_owned())),
        made(Arc::<str>::from(text)),
        made(Box::<str>::from(text)),
        made(text.as_bytes().to_vec()),
        made(text.as_bytes()),
        made(b"invoice:42"),
        made(*b"invoice:42"),
    ]
}

/// Each type of number, as one key.
fn numbers<K>() -> Vec<K>
where
    K: TryFrom<i16, Error: Into<KeyError>>
        + TryFrom<i32, Error: Into<KeyError>>
        + TryFrom<i64, Error: Into<KeyError>>
        + TryFrom<isize, Error: Into<KeyError>>
        + TryFrom<u16, Error: Into<KeyError>>
        + TryFrom<u32, Error: Into<KeyError>>
        + TryFrom<u64, Error: Into<KeyError>>
        + TryFrom<usize, Error: Into<KeyError>>,
{
    vec![
        made(42_i16),
        made(42),
        made(42_i64),
        made(42_isize),
        made(42_u16),
        made(42_u32),
        made(42_u64),
        made(42_usize),
    ]
}

fn made<T, K>(value: T) -> K
where
    T: TryInto<K, Error: Into<KeyError>>,
{
    value.try_into().map_err(Into::into).expect("it names a lock")
}

fn all_same<K: PartialEq + std::fmt::Debug>(keys: &[K]) {
    assert!(keys.windows(2).all(|pair| pair[0] == pair[1]), "{keys:?}");
}

#[cfg(feature = "postgres")]
#[test]
fn postgres() {
    use dlock_db::postgres::Key;
    all_same(&texts::<Key>());
    all_same(&numbers::<Key>());
    assert_eq!(made::<_, Key>((7, 11)).to_string(), "(7, 11)");
    assert_eq!(Key::hashed("invoice:42"), Key::from("invoice:42"));
    assert!(Key::try_from(u64::MAX).is_err() && Key::convert(7, |it| it * 6).is_ok());
    assert!(format!("{}", Key::from("invoice:42")).starts_with("invoice:42 ("));
}

#[cfg(feature = "mysql")]
#[test]
fn mysql() {
    use dlock_db::mysql::Key;
    all_same(&texts::<Key>());
    all_same(&numbers::<Key>());
    assert_eq!(Key::from(u64::MAX).as_str(), "18446744073709551615");
    assert!(matches!(Key::try_from("x".repeat(65)), Err(KeyError::TooLong { limit: 64, .. })));
    assert!(matches!(Key::try_from(""), Err(KeyError::Empty)));
    assert_eq!(Key::hashed("a").as_str().len(), 64);
}

#[cfg(feature = "mssql")]
#[test]
fn mssql() {
    use dlock_db::mssql::Key;
    all_same(&texts::<Key>());
    all_same(&numbers::<Key>());
    assert!(Key::try_from("x".repeat(255)).is_ok());
    assert!(matches!(Key::try_from("🔒".repeat(128)), Err(KeyError::TooLong { .. })));
    assert_eq!(Key::hashed("a").as_str().len(), 64);
}

#[cfg(feature = "oracle")]
#[test]
fn oracle() {
    use dlock_db::oracle::Key;
    all_same(&texts::<Key>());
    all_same(&numbers::<Key>());
    assert_eq!(Key::hashed("invoice:42"), Key::from("invoice:42"));
    assert!(Key::try_from(1_073_741_823).is_ok());
    assert!(matches!(Key::try_from(1_073_741_824), Err(KeyError::OutOfRange { .. })));
    assert!(Key::try_from(-1).is_err() && Key::try_from(usize::MAX).is_err());
}

#[cfg(feature = "memory")]
#[test]
fn memory() {
    use dlock_db::memory::Key;
    all_same(&texts::<Key>());
    all_same(&numbers::<Key>());
    assert_eq!(Key::hashed("invoice:42"), Key::from("invoice:42"));
    assert_eq!(made::<_, Key>((7, 11)).to_string(), "(7, 11)");
}

#[cfg(any(feature = "mssql", feature = "mysql", feature = "oracle", feature = "postgres"))]
#[test]
fn any() {
    use dlock_db::AnyKey;
    all_same(&numbers::<AnyKey>());
    all_same(&texts::<AnyKey>()[..7]);
    assert_eq!(AnyKey::from("invoice:42").to_string(), "invoice:42");
    assert_eq!(AnyKey::from(u64::MAX).to_string(), "18446744073709551615");
}

/// A UUID is its text, as everybody writes it.
#[cfg(all(feature = "uuid", feature = "memory"))]
#[test]
fn uuids() {
    use dlock_db::memory::Key;
    let id = uuid::Uuid::from_u128(0x0123_4567_89AB_CDEF_0123_4567_89AB_CDEF);
    assert_eq!(Key::from(id).as_str(), "01234567-89ab-cdef-0123-456789abcdef");
    #[cfg(feature = "postgres")]
    assert_eq!(dlock_db::postgres::Key::from(id), id.to_string().into());
    #[cfg(feature = "mysql")]
    assert_eq!(dlock_db::mysql::Key::try_from(id).unwrap().as_str(), id.to_string());
    #[cfg(feature = "mssql")]
    assert_eq!(dlock_db::mssql::Key::try_from(id).unwrap().as_str(), id.to_string());
    #[cfg(feature = "oracle")]
    assert_eq!(dlock_db::oracle::Key::from(id), id.to_string().into());
    #[cfg(feature = "mysql")]
    assert_eq!(dlock_db::AnyKey::from(id).to_string(), id.to_string());
}
