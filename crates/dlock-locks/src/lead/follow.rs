use crate::driver::{Session, SessionOptions};
use crate::input::Input;
use crate::{Error, Holder, InspectDriver, Locks};
use dlock_core::{GRACE, KeyError, sleep, within};
use futures::future::select;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How often the server is asked who leads.
const LOOKS: Duration = Duration::from_secs(1);

impl<D: InspectDriver> Locks<D> {
    /// Who leads, for those who follow: the server is asked once a second for as long as somebody has the
    /// receiver, which is told when it is another session. What cannot be asked stays as it was.
    ///
    /// # Errors
    /// As [`holder`](Self::holder).
    ///
    /// # Cancel safety
    /// May be dropped at any time.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// let mut leader = locks.leader("scheduler").await?;
    /// let follow = async {
    ///     while leader.changed().await.is_ok() {
    ///         println!("it is {:?} now", *leader.borrow_and_update());
    ///     }
    /// };
    /// # drop(follow);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn leader<K>(
        &self,
        name: K,
    ) -> Result<watch::Receiver<Option<Holder<D::Key>>>, Error<D::Error>>
    where
        K: TryInto<D::Key, Error: Into<KeyError>>,
    {
        let key = self.checked(name)?;
        let (sender, receiver) = watch::channel(leader(self.look(Some(key.clone())).await?));
        let follow = Follow { key, sender, closed: self.shared.closed.clone() };
        self.shared.tell(Input::Run(Box::new(|driver: Arc<D>, options| {
            Box::pin(async move {
                let over = follow.is_over();
                // What is dropped midway ends its session.
                select(pin!(follow.run(&*driver, &options)), pin!(over)).await;
            })
        })));
        Ok(receiver)
    }
}

fn leader<K>(holders: Vec<Holder<K>>) -> Option<Holder<K>> {
    holders.into_iter().find(|holder| !holder.is_waiting)
}

/// Asks who leads, on a session of its own.
struct Follow<K> {
    key: K,
    sender: watch::Sender<Option<Holder<K>>>,
    closed: CancellationToken,
}

impl<K: Clone> Follow<K> {
    async fn run<D: InspectDriver<Key = K>>(&self, driver: &D, options: &SessionOptions) {
        loop {
            sleep(LOOKS).await;
            if let Some(Ok(session)) = within(options.lease, driver.open(options)).await {
                self.ask::<D>(&session, options.lease).await;
                // What does not end in time ends with its lease.
                let _ = within(GRACE, session.end()).await;
            }
        }
    }

    /// Asks until there is no answer.
    async fn ask<D: InspectDriver<Key = K>>(&self, session: &D::Session, patience: Duration) {
        while let Some(Ok(holders)) = within(patience, D::holders(session, Some(&self.key))).await {
            self.tell(leader(holders));
            sleep(LOOKS).await;
        }
    }

    fn tell(&self, leader: Option<Holder<K>>) {
        let leader = leader.map(|holder| holder.map(|_| self.key.clone()));
        self.sender.send_if_modified(|known| {
            let number = |it: &Option<Holder<K>>| it.as_ref().map(|it| it.session.clone());
            let is_another = number(known) != number(&leader);
            *known = leader;
            is_another
        });
    }

    /// Completes when nobody listens any more, or the factory is closed.
    async fn is_over(&self) {
        select(pin!(self.sender.closed()), pin!(self.closed.cancelled())).await;
    }
}
