//! What a subscriber hears of a lock.

use crate::scripted::{Answer, Control};
use dlock_core::Wait;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;

#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<u8>>>);

impl Write for Heard {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Heard {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Heard {
    /// What is told on this thread, while the guard lives.
    fn listen(&self) -> DefaultGuard {
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::DEBUG)
            .with_ansi(false)
            .with_writer(self.clone())
            .finish();
        tracing::subscriber::set_default(subscriber)
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

#[tokio::test]
async fn a_call_that_is_never_answered_says_so() {
    let heard = Heard::default();
    let _subscriber = heard.listen();
    let (_control, mut lock) = Control::lock(&[Answer::Silence]);
    assert!(lock.acquire(Duration::from_millis(1)).await.is_err());
    let text = heard.text();
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains("dlock.outcome=\"interrupted\" dlock.waited_ms="), "{text}");
    assert!(text.contains("dlock{db.system.name=\"other_sql\""), "{text}");
}

#[tokio::test]
async fn each_call_says_how_it_ended() {
    let heard = Heard::default();
    let _subscriber = heard.listen();
    let answers = [Answer::Says(false), Answer::Deadlock, Answer::Says(true), Answer::Lost];
    let (_control, mut lock) = Control::lock(&answers);
    assert!(!lock.acquire(Duration::from_millis(250)).await.unwrap());
    assert!(lock.acquire(Wait::No).await.is_err());
    assert!(lock.acquire(Wait::Forever).await.unwrap());
    assert!(lock.release().await.is_err());
    let text = heard.text();
    let lines: Vec<&str> = text.lines().collect();
    let outcomes = ["timed_out", "deadlock", "granted", "lost"];
    assert_eq!(lines.len(), outcomes.len(), "{text}");
    for (line, outcome) in lines.iter().zip(outcomes) {
        assert!(line.contains(&format!("dlock.outcome=\"{outcome}\"")), "{line}");
        assert!(line.contains("dlock.waited_ms=") && line.contains("dlock.key=key"), "{line}");
        assert!(line.contains("db.system.name=\"other_sql\""), "{line}");
    }
    assert!(lines[0].contains("dlock.wait=For(250ms)"), "{}", lines[0]);
    assert!(lines[3].contains("db.operation.name=\"release\""), "{}", lines[3]);
}
