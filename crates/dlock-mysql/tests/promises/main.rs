//! The promises of every lock, on MySQL and on MariaDB, over every kind of session.

mod bed;
mod kind;
mod nested;
#[path = "../processes/mod.rs"]
mod processes;

use bed::MysqlBed;
use dlock_testkit::server::{Maria, Mysql};
use dlock_testkit::trial::{drop_promises, harness, lone_script_promises, promises, trial};
use kind::{Kind, LentConn, LentConnection, LentTransaction, Owned, Pooled, Prepared, Used};
use libtest_mimic::Trial;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut trials = on::<Mysql>("mysql");
    trials.extend(on::<Maria>("mariadb"));
    harness(trials)
}

fn on<E: bed::Flavour>(server: &str) -> Vec<Trial> {
    let mut trials = droppable::<E, Owned>(&format!("{server}::conn"));
    trials.extend(droppable::<E, Used>(&format!("{server}::used")));
    trials.extend(droppable::<E, Prepared>(&format!("{server}::prepared")));
    trials.extend(promises::<MysqlBed<E, Pooled>>(&format!("{server}::pooled")));
    trials.extend(drop_promises::<MysqlBed<E, Pooled>>(&format!("{server}::pooled")));
    trials.extend(promises::<MysqlBed<E, LentConn>>(&format!("{server}::lent_conn")));
    trials.extend(promises::<MysqlBed<E, LentTransaction>>(&format!("{server}::transaction")));
    trials.extend(promises::<MysqlBed<E, LentConnection>>(&format!("{server}::connection")));
    trials.push(trial(format!("{server}::nested::reentry"), nested::reentry::<E>));
    trials.push(trial(format!("{server}::nested::deadlock"), nested::deadlock::<E>));
    trials
}

fn droppable<E: bed::Flavour, K: Kind>(kind: &str) -> Vec<Trial> {
    let mut trials = promises::<MysqlBed<E, K>>(kind);
    trials.extend(drop_promises::<MysqlBed<E, K>>(kind));
    trials.extend(lone_script_promises::<MysqlBed<E, K>>(kind, None));
    trials
}
