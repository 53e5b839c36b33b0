//! What is true of Oracle, and of no other server.
//!
//! Cases that need a server which misbehaves on demand run on the stand-in only. Against a real
//! database they are listed as ignored.

#[path = "../place/mod.rs"]
mod place;

mod bench;
mod breaks;
mod commit;
mod convert;
mod crowd;
mod ends;
mod loss;
mod modes;
mod reentry;
mod runtimes;
mod setup;
mod turns;
mod waits;

use dlock_testkit::trial::{harness, trial};
use libtest_mimic::Trial;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut trials = what_holds();
    trials.extend(what_ends());
    trials.extend(what_is_shared());
    let is_real = std::env::var_os("DLOCK_ORACLE_URL").is_some();
    let misbehaves = misbehaving().into_iter();
    trials.extend(misbehaves.map(|trial| trial.with_ignored_flag(is_real)));
    harness(trials)
}

fn what_holds() -> Vec<Trial> {
    vec![
        trial("modes::matrix", modes::matrix),
        trial("modes::shared_is_s", modes::shared_is_s),
        trial("convert::up_and_down", convert::up_and_down),
        trial("convert::waits_and_times_out", convert::waits_and_times_out),
        trial("convert::deadlock", convert::deadlock),
        trial("convert::guards", convert::guards),
        trial("convert::dropped", convert::dropped),
        trial("convert::of_what_is_gone", convert::of_what_is_gone),
        trial("commit::frees", commit::frees),
        trial("commit::does_not_free_the_rest", commit::does_not_free_the_rest),
        trial("commit::makes_way_over_one_session", commit::makes_way_over_one_session),
        trial("commit::autocommit_is_refused", commit::autocommit_is_refused),
        trial("commit::never_of_ours", commit::never_of_ours),
        trial("reentry::held_by_the_caller", reentry::held_by_the_caller),
        trial("reentry::released_by_the_caller", reentry::released_by_the_caller),
        trial("reentry::session_comes_back", reentry::session_comes_back),
        trial("reentry::session_trait", reentry::session_trait),
    ]
}

fn what_ends() -> Vec<Trial> {
    vec![
        trial("loss::killed", loss::killed),
        trial("loss::killed_while_waiting", loss::killed_while_waiting),
        trial("breaks::spares_the_callers_statement", breaks::spares_the_callers_statement),
        trial("waits::longer_than_a_slice", waits::longer_than_a_slice),
        trial("waits::bounded_across_slices", waits::bounded_across_slices),
        trial("waits::call_timeout_is_kept", waits::call_timeout_is_kept),
        trial("waits::others_go_on_after_a_slice", waits::others_go_on_after_a_slice),
        trial("waits::runtime_shuts_down", waits::runtime_shuts_down),
    ]
}

fn what_is_shared() -> Vec<Trial> {
    vec![
        trial("turns::what_does_not_wait_goes_first", turns::what_does_not_wait_goes_first),
        trial("turns::bounds_are_kept", turns::bounds_are_kept),
        trial("turns::call_timeout_set_meanwhile", turns::call_timeout_set_meanwhile),
        trial("turns::nobody_starves", turns::nobody_starves),
        trial("turns::writer_among_readers", turns::writer_among_readers),
        trial("turns::one_key_twice", turns::one_key_twice),
        trial("ends::what_runs", ends::what_runs),
        trial("ends::for_all_locks", ends::for_all_locks),
        trial("ends::dropped_and_called_again", ends::dropped_and_called_again),
        trial("ends::after_the_callers_statement", ends::after_the_callers_statement),
        trial("ends::a_pools_session", ends::a_pools_session),
        trial("ends::not_held_after_all", ends::not_held_after_all),
        trial("runtimes::none", runtimes::none),
        trial("runtimes::without_timers", runtimes::without_timers),
        trial("runtimes::with_a_paused_clock", runtimes::with_a_paused_clock),
        trial("runtimes::nobody_drives", runtimes::nobody_drives),
        trial("runtimes::budget_used_up", runtimes::budget_used_up),
    ]
}

fn misbehaving() -> Vec<Trial> {
    vec![
        trial("loss::cut", loss::cut),
        trial("loss::told", loss::told),
        trial("loss::cut_while_waiting", loss::cut_while_waiting),
        trial("loss::silent", loss::silent),
        trial("waits::round_trips", waits::round_trips),
        trial("crowd::prompt", crowd::prompt),
        trial("crowd::late", crowd::late),
        trial("crowd::stray", crowd::stray),
        trial("ends::unheard", ends::unheard),
        trial("turns::breaks_meet_nobody_else", turns::breaks_meet_nobody_else),
        trial("turns::broken_off_waits_go_on", turns::broken_off_waits_go_on),
        trial("turns::unheard_breaks_cost_a_slice", turns::unheard_breaks_cost_a_slice),
        trial("breaks::prompt", breaks::prompt),
        trial("breaks::late", breaks::late),
        trial("breaks::ignored", breaks::ignored),
        trial("breaks::stray", breaks::stray),
        trial("breaks::by_someone_else", breaks::by_someone_else),
        trial("breaks::by_someone_else_late", breaks::by_someone_else_late),
        trial("breaks::of_a_conversion", breaks::of_a_conversion),
        trial("breaks::of_a_release", breaks::of_a_release),
        trial("breaks::at_random_prompt", breaks::at_random_prompt),
        trial("breaks::at_random_late", breaks::at_random_late),
        trial("breaks::at_random_stray", breaks::at_random_stray),
        trial("breaks::at_random_ignored", breaks::at_random_ignored),
        trial("setup::missing_grant", setup::missing_grant),
        trial("setup::wrong_password", setup::wrong_password),
    ]
}
