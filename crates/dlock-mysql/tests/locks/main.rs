//! `Locks` on MySQL and on MariaDB: several of them are several processes.

mod cluster;
mod exclusion;
mod fences;
mod looks;
mod loss;
mod names;
mod open;
#[path = "../processes/mod.rs"]
#[allow(dead_code, reason = "not every suite asks for everything")]
mod processes;
#[path = "../behavior/server.rs"]
#[allow(dead_code, reason = "not every suite asks for everything")]
mod server;

use dlock_mysql::Locks;
use dlock_mysql::mysql_async::OptsBuilder;
use dlock_testkit::server::{Maria, Mysql};
use dlock_testkit::trial::{harness, trial};
use libtest_mimic::Trial;
use server::{Flavour, can_be_started};
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    let mut trials = on::<Mysql>("mysql");
    trials.extend(on::<Maria>("mariadb"));
    trials.push(trial("mysql::names::twins", names::twins));
    trials.push(trial("mysql::names::several", || names::several::<Mysql>(2)));
    trials.push(trial("mariadb::names::several", || names::several::<Maria>(3)));
    trials.push(trial("mysql::names::orders", names::orders));
    trials.push(trial("mysql::fences::twins", fences::twins));
    trials.push(trial("mysql::looks::twins", looks::twins));
    let own = trial("mysql::cluster::group", cluster::group::<Mysql>);
    trials.push(own.with_ignored_flag(!can_be_started::<Mysql>()));
    harness(trials)
}

fn on<E: Flavour>(server: &str) -> Vec<Trial> {
    let mut trials = of_sessions::<E>(server);
    trials.extend(of_abilities::<E>(server));
    trials
}

fn of_abilities<E: Flavour>(server: &str) -> Vec<Trial> {
    let own = |it: Trial| it.with_ignored_flag(!can_be_started::<E>());
    vec![
        trial(format!("{server}::fences::stale"), fences::stale::<E>),
        trial(format!("{server}::fences::overlap"), fences::overlap::<E>),
        trial(format!("{server}::fences::raises"), fences::raises::<E>),
        trial(format!("{server}::fences::bounded"), fences::bounded::<E>),
        trial(format!("{server}::fences::setup"), fences::setup::<E>),
        trial(format!("{server}::fences::reads"), fences::reads::<E>),
        trial(format!("{server}::looks::holders"), looks::holders::<E>),
        trial(format!("{server}::looks::plain_user"), looks::plain_user::<E>),
        trial(format!("{server}::looks::freed"), looks::freed::<E>),
        own(trial(format!("{server}::looks::checked"), looks::checked::<E>)),
        own(trial(format!("{server}::cluster::galera"), cluster::galera::<E>)),
        own(trial(format!("{server}::cluster::refusing"), cluster::refusing::<E>)),
        trial(format!("{server}::looks::alone"), looks::alone::<E>),
    ]
}

fn of_sessions<E: Flavour>(server: &str) -> Vec<Trial> {
    let own = |it: Trial| it.with_ignored_flag(!can_be_started::<E>());
    vec![
        trial(format!("{server}::exclusion::many_tasks"), exclusion::many_tasks::<E>),
        trial(format!("{server}::exclusion::lock_and_locks"), exclusion::lock_and_locks::<E>),
        trial(format!("{server}::exclusion::hand_over"), exclusion::hand_over::<E>),
        trial(format!("{server}::exclusion::many_keys"), exclusion::many_keys::<E>),
        trial(format!("{server}::names::longest"), names::longest::<E>),
        trial(format!("{server}::loss::killed"), loss::killed::<E>),
        trial(format!("{server}::loss::closed"), loss::closed::<E>),
        trial(format!("{server}::loss::silent"), loss::silent::<E>),
        trial(format!("{server}::loss::dropped_wait"), loss::dropped_wait::<E>),
        own(trial(format!("{server}::loss::frozen"), loss::frozen::<E>)),
        own(trial(format!("{server}::loss::restarted"), loss::restarted::<E>)),
        trial(format!("{server}::open::refused"), open::refused::<E>),
        trial(format!("{server}::open::one_connection"), open::one_connection::<E>),
        own(trial(format!("{server}::open::limited"), open::limited::<E>)),
        own(trial(format!("{server}::open::small_packets"), open::small_packets::<E>)),
    ]
}

pub(crate) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// The shortest lease that there is.
pub(crate) const LEASE: Duration = Duration::from_secs(3);

/// Like another process.
pub(crate) fn locks(opts: OptsBuilder) -> Locks {
    Locks::builder(opts).lease(LEASE).build().expect("a thread")
}

/// Which session holds the key.
pub(crate) async fn holder_of<E: Flavour>(key: &str) -> Option<i64> {
    server::holder(&mut server::conn::<E>().await, key).await
}
