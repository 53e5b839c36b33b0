//! `Locks` on Oracle: two of them stand for two processes.
//!
//! Cases that need a server which misbehaves on demand run on the stand-in only. Against a real
//! database they are listed as ignored.

#[path = "../place/mod.rs"]
mod place;

mod alone;
mod bench;
mod exclusion;
mod inspect;
mod loss;
mod modes;
mod sessions;
mod setup;
mod writers;

use dlock_testkit::trial::{harness, trial};
use libtest_mimic::Trial;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut trials = what_holds();
    let is_real = std::env::var_os("DLOCK_ORACLE_URL").is_some();
    trials.extend(misbehaving().into_iter().map(|trial| trial.with_ignored_flag(is_real)));
    harness(trials)
}

fn what_holds() -> Vec<Trial> {
    vec![
        trial("exclusion::many_tasks", exclusion::many_tasks),
        trial("exclusion::lock_and_locks", exclusion::lock_and_locks),
        trial("exclusion::hand_over", exclusion::hand_over),
        trial("exclusion::bounds_are_kept", exclusion::bounds_are_kept),
        trial("exclusion::dropped_waits", exclusion::dropped_waits),
        trial("alone::lends_its_session", alone::lends_its_session),
        trial("alone::aborts", alone::aborts),
        trial("inspect::holders", inspect::holders),
        trial("inspect::of_others", inspect::of_others),
        trial("inspect::free", inspect::free),
        trial("inspect::check", inspect::check),
        trial("modes::readers_share", modes::readers_share),
        trial("modes::matrix", modes::matrix),
        trial("modes::convert", modes::convert),
        trial(
            "modes::what_was_not_asked_for_by_its_mode_is_not_converted",
            modes::what_was_not_asked_for_by_its_mode_is_not_converted,
        ),
        trial(
            "modes::a_dropped_conversion_is_not_handed_over",
            modes::a_dropped_conversion_is_not_handed_over,
        ),
        trial("modes::crossed_conversions", modes::crossed_conversions),
        trial("loss::killed", loss::killed),
        trial("loss::killed_while_waiting", loss::killed_while_waiting),
        trial("sessions::many_keys", sessions::many_keys),
        trial("sessions::of_a_pool", sessions::of_a_pool),
        trial("sessions::closed", sessions::closed),
        trial("sessions::runtime_ends", sessions::runtime_ends),
        trial("setup::urls", setup::urls),
        trial("setup::wrong_password", setup::wrong_password),
        trial("writers::among_readers", writers::among_readers),
    ]
}

fn misbehaving() -> Vec<Trial> {
    vec![
        trial("inspect::check_finds", inspect::check_finds),
        trial("loss::cut", loss::cut),
        trial("loss::silent", loss::silent),
        trial("loss::interrupted", loss::interrupted),
        trial("loss::interrupted_readers", loss::interrupted_readers),
        trial("sessions::round_trips", sessions::round_trips),
        trial("setup::missing_grant", setup::missing_grant),
        trial("setup::standby", setup::standby),
    ]
}
