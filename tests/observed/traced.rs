use std::io::{self, Write};
use std::sync::{Arc, Mutex, Once, OnceLock};
use tracing::Level;

/// What was traced, by all threads of this process: `Locks` have one of their own.
#[derive(Clone, Default)]
pub(crate) struct Traced(Arc<Mutex<Vec<u8>>>);

impl Traced {
    pub(crate) fn get() -> &'static Self {
        static TRACED: OnceLock<Traced> = OnceLock::new();
        static SUBSCRIBED: Once = Once::new();
        let traced = TRACED.get_or_init(Self::default);
        SUBSCRIBED.call_once(|| {
            let subscriber =
                tracing_subscriber::fmt().with_max_level(Level::DEBUG).with_ansi(false);
            let writer = || traced.clone();
            subscriber.with_writer(writer).init();
        });
        traced
    }

    /// What was said of a key.
    pub(crate) fn of(&self, what: &str, key: &str) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().expect("no panic").clone()).expect("UTF-8");
        let said = text.lines().filter(|line| line.contains(what) && line.contains(key));
        said.map(str::to_owned).collect()
    }
}

impl Write for Traced {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
