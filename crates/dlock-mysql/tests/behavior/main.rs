//! Facts about MySQL and MariaDB that the locks rely on, and what the locks make of them.

mod drops;
mod ended;
mod facts;
mod impostor;
mod keys;
mod lent;
mod loss;
mod pool;
mod prepared;
#[path = "../processes/mod.rs"]
mod processes;
mod runtimes;
mod server;
mod session;
mod strangers;
mod used;
mod wire;

use dlock_testkit::server::{Maria, Mysql};
use dlock_testkit::trial::{harness, trial};
use libtest_mimic::Trial;
use server::{Flavour, can_be_started};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut trials = on::<Mysql>("mysql");
    trials.extend(on::<Maria>("mariadb"));
    harness(trials)
}

fn on<E: Flavour>(server: &str) -> Vec<Trial> {
    let facts = [
        trial(format!("{server}::facts::waits"), facts::waits::<E>),
        trial(format!("{server}::facts::names"), facts::names::<E>),
        trial(format!("{server}::facts::releases"), facts::releases::<E>),
        trial(format!("{server}::facts::kill"), facts::kill::<E>),
        trial(format!("{server}::facts::deadlock"), facts::deadlock::<E>),
        trial(format!("{server}::facts::what_frees"), facts::what_frees::<E>),
    ];
    let facts = facts.into_iter().chain(of_locks::<E>(server)).chain(of_sessions::<E>(server));
    let facts = facts.chain(of_prepared::<E>(server)).chain(of_ends::<E>(server));
    facts.chain(of_strangers::<E>(server)).chain(of_failovers::<E>(server)).collect()
}

fn of_failovers<E: Flavour>(server: &str) -> [Trial; 2] {
    let aborted = impostor::aborted_after_a_failover::<E>;
    let dropped = impostor::dropped_after_a_failover::<E>;
    [
        trial(format!("{server}::impostor::aborted_after_a_failover"), aborted),
        trial(format!("{server}::impostor::dropped_after_a_failover"), dropped),
    ]
    .map(|it| it.with_ignored_flag(!can_be_started::<E>()))
}

fn of_strangers<E: Flavour>(server: &str) -> [Trial; 4] {
    [
        trial(format!("{server}::strangers::lock_tables"), strangers::lock_tables::<E>),
        trial(format!("{server}::strangers::xa_by_hand"), strangers::xa_by_hand::<E>),
        trial(format!("{server}::strangers::xa_dropped"), strangers::xa_dropped::<E>),
        trial(format!("{server}::strangers::xa_inside"), strangers::xa_inside::<E>),
    ]
}

fn of_ends<E: Flavour>(server: &str) -> Vec<Trial> {
    let alone = ended::without_a_second_connection::<E>;
    let restarted = trial(format!("{server}::impostor::restarted"), impostor::restarted::<E>);
    vec![
        trial(format!("{server}::ended::aborted"), ended::aborted::<E>),
        trial(format!("{server}::ended::dropped"), ended::dropped::<E>),
        trial(format!("{server}::ended::released"), ended::released::<E>),
        trial(format!("{server}::ended::lost"), ended::lost::<E>),
        trial(format!("{server}::ended::without_a_second_connection"), alone),
        trial(format!("{server}::ended::lone_wait"), ended::lone_wait::<E>),
        trial(format!("{server}::impostor::dropped_wait"), impostor::dropped_wait::<E>),
        trial(format!("{server}::impostor::ended_session"), impostor::ended_session::<E>),
        trial(format!("{server}::impostor::held_by_hand"), impostor::held_by_hand::<E>),
        restarted.with_ignored_flag(!can_be_started::<E>()),
        trial(format!("{server}::runtimes::not_driven"), runtimes::not_driven::<E>),
        trial(format!("{server}::runtimes::ended"), runtimes::ended::<E>),
        trial(format!("{server}::runtimes::without_a_clock"), runtimes::without_a_clock::<E>),
        trial(format!("{server}::runtimes::off_the_runtime"), runtimes::off_the_runtime::<E>),
    ]
}

fn of_prepared<E: Flavour>(server: &str) -> Vec<Trial> {
    let no_room = trial(format!("{server}::prepared::no_room"), prepared::no_room::<E>);
    let dropped = prepared::dropped_while_preparing::<E>;
    vec![
        trial(format!("{server}::prepared::round_trips"), prepared::round_trips::<E>),
        trial(format!("{server}::prepared::nothing_kept"), prepared::nothing_kept::<E>),
        trial(format!("{server}::prepared::one_kept"), prepared::one_kept::<E>),
        trial(format!("{server}::prepared::dropped_while_preparing"), dropped),
        trial(format!("{server}::prepared::limited_by_hand"), prepared::limited_by_hand::<E>),
        trial(format!("{server}::prepared::reset"), prepared::reset::<E>),
        trial(format!("{server}::prepared::given_back"), prepared::given_back::<E>),
        no_room.with_ignored_flag(!can_be_started::<E>()),
    ]
}

fn of_locks<E: Flavour>(server: &str) -> Vec<Trial> {
    vec![
        trial(format!("{server}::wire::round_trips"), wire::round_trips::<E>),
        trial(format!("{server}::wire::no_polling"), wire::no_polling::<E>),
        trial(format!("{server}::wire::long_waits"), wire::long_waits::<E>),
        trial(format!("{server}::keys::every_byte"), keys::every_byte::<E>),
        trial(format!("{server}::keys::random"), keys::random::<E>),
        trial(format!("{server}::keys::limits"), keys::limits::<E>),
        trial(format!("{server}::keys::case"), keys::case::<E>),
        trial(format!("{server}::keys::sql_modes"), keys::sql_modes::<E>),
        trial(format!("{server}::drops::keeps_the_connection"), drops::keeps_the_connection::<E>),
        trial(format!("{server}::drops::ends_the_session"), drops::ends_the_session::<E>),
        trial(format!("{server}::drops::silent_canceller"), drops::silent_canceller::<E>),
        trial(format!("{server}::drops::taken_by_hand"), drops::taken_by_hand::<E>),
        trial(format!("{server}::drops::beside_a_megabyte"), drops::beside_a_megabyte::<E>),
        trial(format!("{server}::lent::guard"), lent::guard::<E>),
        trial(format!("{server}::lent::wait"), lent::wait::<E>),
        trial(format!("{server}::lent::every_poll"), lent::every_poll::<E>),
        trial(format!("{server}::lent::pooled_guard"), lent::pooled_guard::<E>),
    ]
}

fn of_sessions<E: Flavour>(server: &str) -> Vec<Trial> {
    let restart = trial(format!("{server}::loss::server_stopped"), loss::server_stopped::<E>);
    vec![
        trial(format!("{server}::session::every_kind"), session::every_kind::<E>),
        trial(format!("{server}::session::transaction"), session::transaction::<E>),
        trial(format!("{server}::session::settings"), session::settings::<E>),
        trial(format!("{server}::session::spawned_scope"), session::spawned_scope::<E>),
        trial(format!("{server}::session::given_back"), session::given_back::<E>),
        trial(format!("{server}::session::unread_error"), session::unread_error::<E>),
        trial(format!("{server}::session::hostile_settings"), session::hostile_settings::<E>),
        trial(format!("{server}::session::begun_by_hand"), session::begun_by_hand::<E>),
        trial(format!("{server}::used::says_less"), used::says_less::<E>),
        trial(format!("{server}::used::limited_session"), used::limited_session::<E>),
        trial(format!("{server}::used::limited_by_hand"), used::limited_by_hand::<E>),
        trial(format!("{server}::used::taken_by_hand"), used::taken_by_hand::<E>),
        trial(format!("{server}::used::lost"), used::lost::<E>),
        trial(format!("{server}::used::names"), used::names::<E>),
        trial(format!("{server}::used::late_error"), used::late_error::<E>),
        trial(format!("{server}::pool::reset"), pool::reset::<E>),
        trial(format!("{server}::pool::no_reset"), pool::no_reset::<E>),
        trial(format!("{server}::pool::mid_answer"), pool::mid_answer::<E>),
        trial(format!("{server}::loss::killed_query"), loss::killed_query::<E>),
        trial(format!("{server}::loss::released_by_hand"), loss::released_by_hand::<E>),
        trial(format!("{server}::loss::idle_too_long"), loss::idle_too_long::<E>),
        trial(format!("{server}::loss::refused_by_the_driver"), loss::refused_by_the_driver::<E>),
        restart.with_ignored_flag(!can_be_started::<E>()),
    ]
}
