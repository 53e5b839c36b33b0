//! The faults: one after the other on each server, all servers at once.

use crate::dice::Dice;
use crate::event::Counts;
use crate::ground::Ground;
use anyhow::{Context, Result};
use dlock_testkit::proxy::Proxy;
use std::time::Duration;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};

/// A kind of fault.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Kill,
    Cut,
    Blackhole,
    Stall,
    Refuse,
    Freeze,
    Halt,
    Restart,
    Crash,
}

impl Fault {
    fn name(self) -> &'static str {
        match self {
            Fault::Kill => "sessions killed by an administrator",
            Fault::Cut => "connections cut with FIN",
            Fault::Blackhole => "connections gone silent without FIN",
            Fault::Stall => "sockets stalled",
            Fault::Refuse => "connections refused",
            Fault::Freeze => "server frozen",
            Fault::Halt => "server frozen with its sessions for seconds",
            Fault::Restart => "server restarted",
            Fault::Crash => "server killed and restarted",
        }
    }
}

/// Makes trouble until `end`. The last fault is over when this returns.
///
/// # Errors
/// Returns an error if a fault could not be made: then nothing was proved.
pub async fn trouble(ground: &Ground, dice: &mut Dice, end: Instant) -> Result<Counts> {
    let mut counts = Counts::new();
    while Instant::now() < end {
        sleep(dice.millis(20, 400)).await;
        let fault = choose(dice, ground.machine.is_some());
        let done = strike(fault, ground, dice).await;
        if done.with_context(|| format!("{}: {}", ground.kind, fault.name()))? {
            *counts.entry(format!("{}: {}", ground.kind, fault.name())).or_default() += 1;
        }
    }
    Ok(counts)
}

fn choose(dice: &mut Dice, has_machine: bool) -> Fault {
    match dice.below(if has_machine { 100 } else { 95 }) {
        0..44 => Fault::Kill,
        44..64 => Fault::Cut,
        64..74 => Fault::Stall,
        74..80 => Fault::Blackhole,
        80..88 => Fault::Refuse,
        88..93 => Fault::Freeze,
        93..95 => Fault::Halt,
        95..98 => Fault::Restart,
        _ => Fault::Crash,
    }
}

/// Does it and undoes it; `false` if there was nothing to do it to.
async fn strike(fault: Fault, ground: &Ground, dice: &mut Dice) -> Result<bool> {
    let machine = ground.machine;
    match fault {
        Fault::Kill => kill(ground, dice).await,
        Fault::Freeze => freeze(ground, dice.millis(50, 1_500)).await,
        Fault::Halt => halt(ground, dice.millis(1_500, 4_500)).await,
        Fault::Restart => restart(ground, machine.map(|machine| machine.restart)).await,
        Fault::Crash => restart(ground, machine.map(|machine| machine.crash)).await,
        Fault::Cut | Fault::Blackhole | Fault::Stall | Fault::Refuse => {
            let Some(proxy) = dice.pick(&ground.proxies) else { return Ok(false) };
            network(fault, proxy, dice).await;
            Ok(true)
        }
    }
}

async fn network(fault: Fault, proxy: &Proxy, dice: &mut Dice) {
    match fault {
        Fault::Blackhole => blackhole(proxy, dice.millis(300, 7_000)).await,
        Fault::Stall => during(proxy, Proxy::stall, dice.millis(50, 2_500)).await,
        Fault::Refuse => during(proxy, Proxy::refuse, dice.millis(50, 800)).await,
        _ => proxy.cut(),
    }
}

async fn freeze(ground: &Ground, time: Duration) -> Result<bool> {
    let Some(machine) = ground.machine else {
        return ground.observer.freeze(time).await;
    };
    (machine.pause)()?;
    sleep(time).await;
    (machine.unpause)()?;
    Ok(true)
}

/// For longer than a lease is trusted, or almost so.
async fn halt(ground: &Ground, time: Duration) -> Result<bool> {
    let Some(machine) = ground.machine else { return Ok(false) };
    let sessions = ground.observer.processes().await?;
    (machine.pause)()?;
    // A session may have ended by itself.
    let halted = Vec::from_iter(sessions.into_iter().filter(|it| (machine.halt)(*it).is_ok()));
    sleep(time).await;
    for session in halted {
        (machine.go_on)(session)?;
    }
    (machine.unpause)()?;
    Ok(true)
}

async fn kill(ground: &Ground, dice: &mut Dice) -> Result<bool> {
    let seen = ground.seen().await?;
    let Some(victim) = dice.pick(&seen) else { return Ok(false) };
    // It may have gone by itself.
    Ok(ground.observer.kill(&victim.session).await.is_ok())
}

/// Nothing passes and nobody is told; in the end the server is, as its keepalive would tell it.
async fn blackhole(proxy: &Proxy, time: Duration) {
    proxy.blackhole();
    sleep(time).await;
    proxy.cut();
    proxy.resume();
}

async fn during(proxy: &Proxy, fault: fn(&Proxy), time: Duration) {
    fault(proxy);
    sleep(time).await;
    proxy.resume();
}

/// Nobody comes in again before the register is empty: sessions that have ended are in it.
async fn restart(ground: &Ground, how: Option<fn() -> Result<()>>) -> Result<bool> {
    let Some(how) = how else { return Ok(false) };
    ground.proxies.iter().for_each(Proxy::refuse);
    spawn_blocking(how).await??;
    ground.proxies.iter().for_each(Proxy::cut);
    ground.observer.prepare().await?;
    ground.proxies.iter().for_each(Proxy::resume);
    Ok(true)
}
