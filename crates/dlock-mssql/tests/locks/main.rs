//! `Locks` on a server: that of `DLOCK_MSSQL_URL`, else a stand-in. Several of them are several processes.

mod alone;
mod errors;
mod exclusion;
mod look;
mod loss;
mod modes;
#[path = "../server/mod.rs"]
mod server;

use dlock_mssql::{Locks, LocksBuilder, Server, tiberius::Config};
use dlock_testkit::trial::{harness, trial};
use std::future::Future;
use std::net::{SocketAddr, ToSocketAddrs};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

const LEASE: Duration = Duration::from_secs(3);

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

async fn in_time<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(60), future).await.expect("an end")
}

/// A key that no other case uses, on a server that others may use too.
fn fresh(case: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("locks-{case}-{}-{count}", std::process::id())
}

fn builder(config: Config) -> LocksBuilder {
    Locks::builder(Server::from(config)).lease(LEASE)
}

/// Locks with sessions of their own, as those of another process.
async fn locks() -> Locks {
    builder(server::config().await).build().expect("a thread")
}

async fn pair() -> [Locks; 2] {
    [locks().await, locks().await]
}

/// Where the server listens.
fn address(config: &Config) -> SocketAddr {
    let mut addresses = config.get_addr().to_socket_addrs().expect("a host");
    addresses.find(SocketAddr::is_ipv4).expect("an address")
}

/// The same user and database, by way of what listens here.
fn towards(proxy: SocketAddr, config: &Config) -> Config {
    let mut through = config.clone();
    through.host(proxy.ip());
    through.port(proxy.port());
    through
}

fn main() -> ExitCode {
    // These need a login without rights, which the stand-in has.
    let is_real = !server::is_standin();
    let plain = [
        trial("look::what_may_not_be_seen_is_said", look::what_may_not_be_seen_is_said),
        trial("look::a_check_tells_what_is_missing", look::a_check_tells_what_is_missing),
        trial(
            "alone::an_abort_without_the_right_says_so",
            alone::an_abort_without_the_right_says_so,
        ),
    ];
    let mut trials = Vec::from_iter(plain.map(|trial| trial.with_ignored_flag(is_real)));
    trials.extend([
        trial("exclusion::many_tasks_of_two_processes", exclusion::many_tasks_of_two_processes),
        trial("exclusion::of_a_lock_and_locks", exclusion::of_a_lock_and_locks),
        trial("exclusion::by_names_in_every_script", exclusion::by_names_in_every_script),
        trial("exclusion::of_300_keys_on_one_session", exclusion::of_300_keys_on_one_session),
        trial("exclusion::hand_over_between_two", exclusion::hand_over_between_two),
        trial("exclusion::a_dropped_call_leaves_nothing", exclusion::a_dropped_call_leaves_nothing),
        trial("modes::readers_share", modes::readers_share),
        trial("modes::update_and_upgrade", modes::update_and_upgrade),
        trial("modes::an_upgrade_that_runs_out", modes::an_upgrade_that_runs_out),
        trial("modes::a_writer_among_readers", modes::a_writer_among_readers),
        trial("loss::by_a_kill", loss::by_a_kill),
        trial("loss::by_a_closed_connection", loss::by_a_closed_connection),
        trial("loss::by_a_closed_connection_while_waiting", loss::while_waiting),
        trial("loss::by_a_silent_network", loss::by_a_silent_network),
        trial("loss::none_while_all_is_well", loss::none_while_all_is_well),
        trial("errors::no_server", errors::no_server),
        trial("errors::a_wrong_string", errors::a_wrong_string),
        trial("errors::a_wrong_database", errors::a_wrong_database),
        trial("look::holders_and_waiters", look::holders_and_waiters),
        trial("look::names_that_begin_alike", look::names_that_begin_alike),
        trial("look::a_key_is_freed", look::a_key_is_freed),
        trial("look::a_check_finds_nothing", look::a_check_finds_nothing),
        trial("alone::it_lends_its_session", alone::it_lends_its_session),
        trial("alone::its_loss_is_told", alone::its_loss_is_told),
        trial("alone::it_is_aborted", alone::it_is_aborted),
    ]);
    harness(trials)
}
