//! Holders who went on when others held their keys: what they write is refused.

use super::figures::{Figures, next, tries};
use super::silence::many;
use crate::cases::fresh_key;
use crate::locks::bounds::{in_time, until_waiting};
use crate::locks::cases::network::by_link;
use crate::locks::client::{Client, REFUSED, begun};
use crate::locks::fixture::{FenceFixture, HeldOf, LinkFixture, LocksOf};
use crate::locks::link::Link;
use futures::future::join_all;

async fn fenced<F: FenceFixture>(locks: &LocksOf<F>, key: &str) -> HeldOf<F> {
    locks.key(F::key(key)).expect("a key").fenced().lock().await.expect("a fenced lock")
}

pub(super) async fn silent<F: FenceFixture + LinkFixture>(fixture: F, figures: Figures) {
    let (other, count, mut refused) = (many(&fixture), tries(), 0);
    other.setup().await.expect("the tables");
    while refused < count {
        let each = (0..next(refused, count)).map(|_| silenced(&fixture, &other));
        refused += in_time(join_all(each)).await.len();
    }
    figures.refused("silence of the network", refused);
}

/// One whose connection for its work is another than the one that fell silent.
async fn silenced<F: FenceFixture + LinkFixture>(fixture: &F, other: &LocksOf<F>) {
    let (key, (link, locks)) = (fresh_key("fenced"), by_link(fixture));
    let held = fenced::<F>(&locks, &key).await;
    link.silence();
    let next = fenced::<F>(other, &key).await;
    let mut connection = F::connection(&fixture.url()).await;
    assert_eq!(begun::<F>(&held, &mut connection).await, REFUSED);
    drop(next.begin(&mut connection).await.expect("a transaction of the new holder's"));
    next.release().await.expect("a release");
}

pub(super) async fn stopped<F: FenceFixture>(fixture: F, figures: Figures) {
    let (other, count, mut refused) = (many(&fixture), tries(), 0);
    other.setup().await.expect("the tables");
    while refused < count {
        let begun = one_stop(&fixture, &other, next(refused, count)).await;
        assert!(begun.iter().all(|begun| begun == REFUSED), "{begun:?}");
        refused += begun.len();
    }
    figures.refused("SIGSTOP of the client", refused);
}

/// What became of the transactions of a client that was stopped until others held all its keys.
async fn one_stop<F: FenceFixture>(fixture: &F, other: &LocksOf<F>, keys: usize) -> Vec<String> {
    let key = fresh_key("fenced");
    let mut client = Client::start_fenced(&fixture.url(), &key, keys).await;
    let keys = Vec::from_iter((0..keys).map(|number| format!("{key} {number}")));
    let stop = async {
        join_all(keys.iter().map(|key| until_waiting(fixture, key))).await;
        client.stop();
    };
    let waits = join_all(keys.iter().map(|key| fenced::<F>(other, key)));
    let (held, ()) = in_time(async { tokio::join!(waits, stop) }).await;
    client.go_on();
    let begun = in_time(client.begun()).await;
    in_time(join_all(held.into_iter().map(HeldOf::<F>::release))).await;
    begun
}
