use super::{bounded, client, fresh};
use crate::server::integer;
use dlock_core::Wait;
use dlock_mssql::{Key, Lock};
use dlock_testkit::names::fit_names;

/// Names that a server might take for something else.
fn hostile() -> Vec<String> {
    let mut names: Vec<String> =
        (1..=255_u8).map(|byte| format!("byte-{}-", char::from(byte))).collect();
    names.extend([
        "'; SELECT 1; --".to_owned(),
        "''".to_owned(),
        "]]".to_owned(),
        "@P1".to_owned(),
        "%_[a]".to_owned(),
        "🔒é\u{202e}".to_owned(),
        " ".to_owned(),
        "é".repeat(255),
        "🔒".repeat(127),
    ]);
    names
}

#[tokio::test]
async fn hostile_text_is_only_ever_a_name() {
    bounded(async {
        let (mut one, mut two) = (client().await, client().await);
        for name in hostile() {
            let mut held = Lock::new(&mut one, name.as_str()).unwrap();
            let mut other = Lock::new(&mut two, name.as_str()).unwrap();
            assert!(held.acquire(Wait::No).await.unwrap(), "{name:?}");
            assert!(!other.acquire(Wait::No).await.unwrap(), "{name:?}");
            held.release().await.unwrap();
            assert!(other.acquire(Wait::No).await.unwrap(), "{name:?}");
            other.release().await.unwrap();
        }
        assert_eq!(integer(&mut one, "SELECT 77").await, 77);
    })
    .await;
}

/// A random name is the same name for others, and a name that differs in one character is another.
#[tokio::test]
async fn random_text_is_only_ever_a_name() {
    bounded(async {
        let (mut one, mut two) = (client().await, client().await);
        for name in fit_names(255, 100, |name| Key::try_from(name).is_ok()) {
            let mut held = Lock::new(&mut one, name.as_str()).unwrap();
            assert!(held.acquire(Wait::No).await.unwrap(), "{name:?}");
            let mut same = Lock::new(&mut two, name.as_str()).unwrap();
            assert!(!same.acquire(Wait::No).await.unwrap(), "{name:?}");
            drop(same);
            let mut another = Lock::new(&mut two, changed(&name)).unwrap();
            assert!(another.acquire(Wait::No).await.unwrap(), "{name:?}");
            another.release().await.unwrap();
            held.release().await.unwrap();
        }
        assert_eq!(integer(&mut one, "SELECT 77").await, 77);
    })
    .await;
}

/// The same with another last character.
fn changed(name: &str) -> String {
    let mut changed = name.to_owned();
    let last = changed.pop();
    changed.push(if last == Some('a') { 'b' } else { 'a' });
    changed
}

#[tokio::test]
async fn case_blanks_and_the_last_character_count() {
    bounded(async {
        let (mut one, mut two) = (client().await, client().await);
        let base = fresh("Case");
        let longest = format!("{base:x<254}");
        let pairs = [
            (base.clone(), base.to_uppercase()),
            (base.clone(), format!("{base} ")),
            (format!("{base}é"), format!("{base}e\u{301}")),
            (format!("{longest}a"), format!("{longest}b")),
        ];
        for (name, like_it) in pairs {
            let mut held = Lock::new(&mut one, name.as_str()).unwrap();
            let mut other = Lock::new(&mut two, like_it.as_str()).unwrap();
            assert!(held.acquire(Wait::No).await.unwrap());
            assert!(other.acquire(Wait::No).await.unwrap(), "{name} is not {like_it}");
            held.release().await.unwrap();
            other.release().await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn integers_bytes_and_hashes_are_the_names_they_show() {
    bounded(async {
        let (mut one, mut two) = (client().await, client().await);
        let pairs = [
            (Key::from(42), "42".to_owned()),
            (Key::from(i64::MIN), i64::MIN.to_string()),
            (Key::try_from(b"bytes").unwrap(), "bytes".to_owned()),
            (Key::hashed("x"), Key::hashed("x").to_string()),
        ];
        for (key, name) in pairs {
            let mut held = Lock::new(&mut one, key).unwrap();
            assert_eq!(held.key().as_str(), name);
            let mut other = Lock::new(&mut two, name.as_str()).unwrap();
            assert!(held.acquire(Wait::No).await.unwrap());
            assert!(!other.acquire(Wait::No).await.unwrap(), "{name}");
            held.release().await.unwrap();
        }
    })
    .await;
}
