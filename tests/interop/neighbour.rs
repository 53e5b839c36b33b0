use dlock_testkit::server::servers_dir;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{self, Child, ChildStdin, ChildStdout};
use tokio::time::timeout;

/// The library, and drivers for it.
const PACKAGES: [&str; 3] = ["sqlalchemy-dlock==0.8.1", "psycopg[binary]", "PyMySQL"];
const IMPORT: &str = "import sqlalchemy_dlock, psycopg, pymysql; \
                      assert sqlalchemy_dlock.__version__.startswith('0.8.1')";
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop/neighbour.py");
/// No answer takes longer.
const LIMIT: Duration = Duration::from_secs(30);

/// A key as either library takes it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Name {
    Text(&'static str),
    Bytes(&'static [u8]),
    Integer(i64),
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        match self {
            Name::Text(text) => write!(f, "text {}", hex(text.as_bytes())),
            Name::Bytes(bytes) => write!(f, "bytes {}", hex(bytes)),
            Name::Integer(number) => write!(f, "int {number}"),
        }
    }
}

/// A Python process with a connection and a lock of sqlalchemy-dlock's.
pub(crate) struct Neighbour {
    _child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Neighbour {
    /// Connects to the server of an SQLAlchemy URL.
    pub(crate) async fn new(url: &str) -> Self {
        let python = tokio::task::spawn_blocking(python).await.unwrap();
        let mut child = process::Command::new(python)
            .args([SCRIPT, url])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let output = BufReader::new(output).lines();
        let mut neighbour = Self { _child: child, input, output };
        assert_eq!(neighbour.hears().await, "ready");
        neighbour
    }

    /// Tells it something.
    pub(crate) async fn told(&mut self, words: &str) {
        self.input.write_all(format!("{words}\n").as_bytes()).await.unwrap();
        self.input.flush().await.unwrap();
    }

    /// What it says to what it was told.
    pub(crate) async fn hears(&mut self) -> String {
        let line = timeout(LIMIT, self.output.next_line()).await.expect("an answer in time");
        line.unwrap().expect("an answer before the end: what Python says is above")
    }

    /// Both.
    pub(crate) async fn asked(&mut self, words: &str) -> String {
        self.told(words).await;
        self.hears().await
    }
}

/// The Python of an environment of our own, with the library in it.
fn python() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let directory = servers_dir().unwrap().with_file_name("interop");
        let python = directory.join("bin/python");
        if !imports(&python) {
            install(&directory);
        }
        python
    })
}

fn imports(python: &Path) -> bool {
    let mut command = Command::new(python);
    let output = command.args(["-c", IMPORT]).output();
    output.is_ok_and(|output| output.status.success())
}

fn install(directory: &Path) {
    let made = Command::new("python3").args(["-m", "venv"]).arg(directory).status();
    let made = made.is_ok_and(|status| status.success());
    assert!(made, "python3 with its venv module is not on this machine: install python3-venv");
    let mut pip = Command::new(directory.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet"]).args(PACKAGES);
    let installed = pip.status().unwrap().success();
    assert!(installed, "pip could not install {PACKAGES:?}: see its message above");
}
