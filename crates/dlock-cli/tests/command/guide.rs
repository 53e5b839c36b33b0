//! The pages of the guide on the command: what they tell one to run is run.

use crate::fixture::{dlock, name, output, run, shared, start};
use crate::terminal::Terminal;
use dlock_testkit::server::{Engine, Mysql};
use saphyr::{LoadableYamlNode, YamlOwned};
use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Where the pages say that the server is.
const SERVER: &str = "postgres://app@db/app";

fn page(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide").join(name);
    fs::read_to_string(path).expect("a page")
}

/// The blocks of a page in this language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while lines.by_ref().any(|line| line == format!("```{language}")) {
        let block = Vec::from_iter(lines.by_ref().take_while(|line| *line != "```"));
        blocks.push(block.join("\n") + "\n");
    }
    blocks
}

/// A directory that has what the pages run, each of which does nothing.
struct Place {
    dir: tempfile::TempDir,
    /// Pages use the same keys: one runs at a time.
    _turn: MutexGuard<'static, ()>,
}

impl Place {
    fn new() -> Self {
        static TURNS: Mutex<()> = Mutex::new(());
        let turn = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
        let place = Self { dir: tempfile::tempdir().unwrap(), _turn: turn };
        let own = env!("CARGO_BIN_EXE_dlock");
        std::os::unix::fs::symlink(own, place.path("dlock")).unwrap();
        fs::write(place.path("url"), shared()).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Makes the scripts that are named in this text.
    fn make_scripts(&self, text: &str) {
        let names = text.split(|it: char| it.is_whitespace() || "\"'[],".contains(it));
        for name in names.filter_map(|word| word.strip_prefix("./")) {
            let file = self.path(name);
            fs::write(&file, "#!/bin/sh\nexit 0\n").unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }

    /// Runs it here, by this shell's word for it.
    fn run(&self, mut command: Command) -> (i32, String, String) {
        let path = env::var("PATH").unwrap();
        command.env("PATH", format!("{}:{path}", self.dir.path().display()));
        command.env("DLOCK_URL", shared()).env_remove("DATABASE_URL");
        command.current_dir(self.dir.path()).stdin(Stdio::null());
        output(command)
    }

    fn run_script(&self, script: &str) {
        self.make_scripts(script);
        let mut shell = Command::new("sh");
        shell.args(["-euc", &script.replace(SERVER, shared())]);
        let (status, shown, said) = self.run(shell);
        assert!(status == 0 || status == 124, "{status}: {script}\n{shown}\n{said}");
    }
}

#[test]
fn what_the_pages_run_is_run() {
    let mut count = 0;
    for name in ["command.md", "cron.md", "deploy.md", "kubernetes.md", "systemd.md"] {
        let place = Place::new();
        for block in blocks(&page(name), "sh") {
            place.run_script(&block);
            count += block.lines().count();
        }
    }
    assert!(count > 25, "{count} lines");
}

#[test]
fn the_crontab_is_run() {
    let place = Place::new();
    let [table] = &blocks(&page("cron.md"), "crontab")[..] else { panic!("one table") };
    let jobs = table.lines().filter(|line| !line.contains("_URL="));
    let jobs = Vec::from_iter(jobs.map(|line| line.splitn(6, ' ').last().unwrap().trim()));
    assert_eq!(jobs.len(), 2);
    jobs.into_iter().for_each(|job| place.run_script(job));
}

fn sequence(node: &YamlOwned) -> Vec<String> {
    let texts = node.as_sequence().into_iter().flatten();
    texts.map(|it| it.as_str().expect("a text").to_owned()).collect()
}

/// Every `command` in it.
fn commands(node: &YamlOwned, found: &mut Vec<Vec<String>>) {
    for (name, value) in node.as_mapping().into_iter().flatten() {
        if name.as_str() == Some("command") {
            found.push(sequence(value));
        }
        commands(value, found);
    }
    for value in node.as_sequence().into_iter().flatten() {
        commands(value, found);
    }
}

#[test]
fn the_manifests_are_run() {
    let (place, mut found) = (Place::new(), Vec::new());
    for block in blocks(&page("kubernetes.md"), "yaml") {
        place.make_scripts(&block);
        let documents = YamlOwned::load_from_str(&block).expect("YAML");
        assert!(documents[0]["kind"].as_str().is_some() && documents[0]["spec"].is_mapping());
        commands(&documents[0], &mut found);
    }
    assert_eq!(found.len(), 4);
    for words in found.iter().filter(|words| words[0] == "dlock") {
        let mut command = Command::new(place.path("dlock"));
        command.args(&words[1..]);
        let (status, _, said) = place.run(command);
        assert_eq!((status, said.as_str()), (0, ""), "{words:?}");
    }
}

/// systemd itself finds nothing wrong with them, where it is there to be asked.
#[test]
fn the_units_are_run() {
    let place = Place::new();
    let units = blocks(&page("systemd.md"), "ini");
    assert_eq!(units.len(), 3);
    let mut files = Vec::new();
    for unit in &units {
        let name = unit.lines().next().unwrap().rsplit('/').next().unwrap();
        // What they run is not on this machine.
        fs::write(place.path(name), unit.replace("/usr/local/bin/dlock", "/usr/bin/env")).unwrap();
        files.push(place.path(name));
        for line in unit.lines().filter_map(|line| line.strip_prefix("ExecStart=")) {
            let line = line.replace("/usr/local/bin/dlock", "dlock").replace("%d/", "");
            place.run_script(&line.replace("/usr/local/bin/", "./"));
        }
    }
    let mut verify = Command::new("systemd-analyze");
    verify.arg("verify").args(files);
    match verify.stdin(Stdio::null()).output() {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            let ours =
                said.lines().filter(|line| line.contains("rollup.") || line.contains("scheduler."));
            assert_eq!(Vec::from_iter(ours), Vec::<&str>::new(), "{said}");
        }
        Err(_) => println!("not run: there is no systemd-analyze on this machine"),
    }
}

/// Without the numbers, which are others each time, and the space that they take.
fn plain(picture: &str) -> Vec<String> {
    let line = |line: &str| {
        let words = line.split_whitespace().map(|word| word.split(|it: char| it.is_ascii_digit()));
        let words = words.map(|parts| parts.filter(|part| !part.is_empty()).collect::<String>());
        words.collect::<Vec<_>>().join(" ")
    };
    picture.lines().map(line).filter(|line| !line.is_empty()).collect()
}

#[test]
fn the_picture_is_one_of_a_real_run() {
    // Nobody else's keys are on it.
    let server = Mysql::start(&[]).unwrap();
    let url = server.url();
    let holding = |key: &str| start(run(url, key, &[], &name(key), "exec sleep 1000"));
    let _holders = [holding("nightly"), holding("report")];
    let mut top = Terminal::start(dlock(url, &["top", "--interval", "0.2"]), 92, 6);
    top.until(|screen| screen.matches("holds").count() == 2);
    let _waiter = holding("nightly");
    top.until(|screen| screen.contains("waits"));
    let picture = top.screen();
    let [shown] = &blocks(&page("command.md"), "text")[..] else { panic!("one picture") };
    assert_eq!(plain(shown), plain(&picture), "\n{picture}");
    top.types("q");
    assert_eq!(top.status(), 0);
}
