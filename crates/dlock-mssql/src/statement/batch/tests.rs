use super::BatchText;
use crate::Key;
use dlock_locks::{Ask, Mode, What};

fn ask(what: What, key: &str, mode: Mode) -> Ask<Key> {
    Ask { what, key: key.try_into().expect("a key"), mode }
}

/// The same kinds make the same text, in whatever order they are asked.
#[test]
fn kinds_stand_together() {
    let asks = [
        ask(What::Release, "a", Mode::Exclusive),
        ask(What::Try, "b", Mode::Exclusive),
        ask(What::Release, "c", Mode::Update),
        ask(What::Undo, "d", Mode::Shared),
    ];
    let batch = BatchText::new(&asks, |key| key.as_str() == "c");
    assert_eq!(batch.names, ["b", "a", "c", "d"]);
    assert_eq!(batch.places, [1, 0, 2, 3]);
    assert_eq!(batch.text.matches("EXEC @r2 = sp_releaseapplock @P3").count(), 2);
    let expected = "IF APPLOCK_MODE('public', @P4, 'Session') <> 'NoLock'\nBEGIN\nBEGIN TRY EXEC \
                    @r3 = sp_releaseapplock @P4, 'Session', 'public'";
    assert!(batch.text.contains(expected), "{}", batch.text);
    assert!(batch.text.ends_with("SELECT @r0, @r1, @r2, @r3;\n"), "{}", batch.text);
}

/// A name is only ever a parameter.
#[test]
fn a_shared_try_looks_at_its_turnstile() {
    let asks = [ask(What::Try, "'; --", Mode::Shared), ask(What::Try, "[x]", Mode::Shared)];
    let batch = BatchText::new(&asks, |_| false);
    assert_eq!((batch.names.len(), &*batch.names[0], &*batch.names[2]), (4, "'; --", "[x]"));
    assert_eq!(batch.names[1].len(), 64);
    let second = "IF APPLOCK_TEST('public', @P4, 'Shared', 'Session') = 1 EXEC @r1 = sp_getapplock \
                  @P3, 'Shared', 'Session', 0, 'public';";
    assert!(batch.text.contains(second), "{}", batch.text);
    assert!(!batch.text.contains("--") && !batch.text.contains("[x]"), "{}", batch.text);
}
