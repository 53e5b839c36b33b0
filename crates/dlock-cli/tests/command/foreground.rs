//! `dlock run` on a terminal.

use crate::fixture::{
    dlock, marked, name, nobody_is_left_when_the_key_is_free, output, run, shared, until_marked,
};
use crate::terminal::Terminal;

fn terminal(key: &str, options: &[&str], mark: &str, script: &str) -> Terminal {
    Terminal::start(run(shared(), key, options, mark, script), 100, 12)
}

#[test]
fn a_command_in_the_foreground_reads_the_terminal() {
    let key = name("reads");
    let script = "read line </dev/tty; echo \"got $line\"; exit 6";
    let mut terminal = terminal(&key, &["--foreground"], "", script);
    terminal.types("a line\n");
    assert_eq!(terminal.status(), 6);
    assert!(terminal.screen().contains("got a line"), "{}", terminal.screen());
    terminal.is_as_before();
}

/// What the keyboard sends is between the terminal and the command: it may go on.
#[test]
fn the_keyboard_interrupts_the_command_in_the_foreground() {
    let (key, mark) = (name("keyboard"), name("keyboard"));
    let script = "trap 'echo once' INT; echo ready; read a </dev/tty; read b </dev/tty; exit 7";
    let mut terminal = terminal(&key, &["-f"], &mark, script);
    terminal.until(|screen| screen.contains("ready"));
    terminal.types("\u{3}");
    terminal.until(|screen| screen.contains("once"));
    terminal.types("\n\n");
    assert_eq!(terminal.status(), 7);
    // One that does not listen is ended by it.
    let mut deaf = self::terminal(&key, &["-f"], &mark, "echo ready; exec sleep 1000");
    deaf.until(|screen| screen.contains("ready"));
    deaf.types("\u{3}");
    assert_eq!((deaf.status(), marked(&mark)), (130, Vec::new()));
}

#[test]
fn the_keyboard_interrupts_a_command_in_the_background() {
    let (key, mark) = (name("background"), name("background"));
    let script = "setsid sleep 1000 & sleep 1000 & echo ready; wait";
    let mut terminal = terminal(&key, &[], &mark, script);
    terminal.until(|screen| screen.contains("ready"));
    until_marked(&mark, 3);
    terminal.types("\u{3}");
    assert_eq!(terminal.status(), 130);
    nobody_is_left_when_the_key_is_free(shared(), &key, &mark);
}

#[test]
fn a_terminal_that_goes_takes_the_command_with_it() {
    for options in [&[][..], &["--foreground"]] {
        let (key, mark) = (name("hangup"), name("hangup"));
        let terminal = terminal(&key, options, &mark, "setsid sleep 1000 & exec sleep 1000");
        until_marked(&mark, 2);
        drop(terminal);
        nobody_is_left_when_the_key_is_free(shared(), &key, &mark);
    }
}

#[test]
fn one_that_waits_is_interrupted() {
    let (key, mark) = (name("waits"), name("waits"));
    let holder = crate::fixture::start(run(shared(), &key, &[], &mark, "exec sleep 1000"));
    until_marked(&mark, 1);
    let mut terminal = terminal(&key, &[], "", "true");
    crate::engines::kinds()[0].rows(&key, 2);
    terminal.types("\u{3}");
    assert_eq!(terminal.status(), 130);
    drop(holder);
    assert_eq!(output(dlock(shared(), &["run", &key, "-w", "50s", "--", "true"])).0, 0);
}
