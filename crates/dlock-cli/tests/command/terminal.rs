//! A terminal, and what is to be seen on it.

use crate::fixture::{LIMIT, Running, start, status};
use rustix::fs::{Mode, OFlags, open};
use rustix::process::Signal;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Termios, Winsize, tcgetattr, tcsetwinsize};
use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZero;
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Instant;
use vt100::Parser;

/// A process on a terminal of its own, which it controls.
pub(crate) struct Terminal {
    keyboard: File,
    /// Stays open: what was set is read when the process has ended.
    line: OwnedFd,
    before: Termios,
    written: Receiver<Vec<u8>>,
    raw: Vec<u8>,
    parser: Parser,
    child: Running,
}

impl Terminal {
    /// Starts a command on it.
    pub(crate) fn start(command: Command, columns: u16, rows: u16) -> Self {
        let keyboard = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&keyboard).and_then(|()| unlockpt(&keyboard)).expect("a terminal");
        let path = ptsname(&keyboard, Vec::new()).expect("a name");
        let line = open(path, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).expect("a terminal");
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&line, size).expect("a size");
        let before = tcgetattr(&line).expect("a terminal");
        let child = start(on(&line, command));
        let keyboard = File::from(keyboard);
        let written = read(keyboard.try_clone().expect("a descriptor"));
        let cells = |count| NonZero::new(count).expect("a size");
        let parser = Parser::new(cells(rows), cells(columns), 0);
        Self { keyboard, line, before, written, raw: Vec::new(), parser, child }
    }

    pub(crate) fn types(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).expect("a terminal");
    }

    pub(crate) fn signal(&self, signal: Signal) {
        self.child.signal(signal);
    }

    /// Waits until it shows this.
    pub(crate) fn until(&mut self, is_so: impl Fn(&str) -> bool) {
        let began = Instant::now();
        while !is_so(&self.screen()) {
            let left = LIMIT.saturating_sub(began.elapsed());
            let Ok(bytes) = self.written.recv_timeout(left) else {
                panic!("it shows something else:\n{}", self.screen());
            };
            self.take(&bytes);
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.parser.process(bytes);
        self.raw.extend_from_slice(bytes);
    }

    /// What is to be seen.
    pub(crate) fn screen(&self) -> String {
        self.parser.screen().contents()
    }

    /// Waits for the end, and takes what was written until then.
    pub(crate) fn status(&mut self) -> i32 {
        let status = status(self.child.wait());
        while let Ok(bytes) = self.written.recv_timeout(crate::fixture::ms(100)) {
            self.take(&bytes);
        }
        status
    }

    /// The terminal is as it was before: what was on it, the cursor, how it reads.
    pub(crate) fn is_as_before(&self) {
        let (now, before) = (tcgetattr(&self.line).expect("a terminal"), &self.before);
        assert_eq!(now.local_modes, before.local_modes);
        assert_eq!(now.input_modes, before.input_modes);
        assert_eq!(now.output_modes, before.output_modes);
        let screen = self.parser.screen();
        assert!(!screen.alternate_screen() && !screen.hide_cursor(), "{}", self.screen());
        assert!(!screen.bracketed_paste() && !screen.application_cursor());
    }
}

/// In a session of its own, whose terminal this is.
fn on(line: &OwnedFd, command: Command) -> Command {
    let side = || Stdio::from(line.try_clone().expect("a descriptor"));
    let mut led = Command::new("setsid");
    led.arg("--ctty").arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => led.env(name, value),
            None => led.env_remove(name),
        };
    }
    led.stdin(side()).stdout(side()).stderr(side());
    led
}

fn read(mut from: File) -> Receiver<Vec<u8>> {
    let (sender, written) = channel();
    thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            if sender.send(bytes[..count].to_vec()).is_err() {
                return;
            }
        }
    });
    written
}
