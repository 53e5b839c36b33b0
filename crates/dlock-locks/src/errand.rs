//! What is done on a session of its own: looking, ending somebody's session, making tables.

use crate::driver::{Driver, Session, SessionOptions};
use crate::input::Input;
use crate::{Error, FencedDriver, Finding, Holder, InspectDriver, Locks, LocksBuilder, UrlDriver};
use dlock_core::KeyError;
use std::sync::Arc;
use tokio::sync::oneshot;
use tracing::warn;

impl<D: Driver> Locks<D> {
    /// Runs on the engine's thread, where sessions may be opened.
    async fn run<T, F>(&self, errand: F) -> Result<T, Error<D::Error>>
    where
        T: Send + 'static,
        F: AsyncFnOnce(Arc<D>, SessionOptions) -> Result<T, D::Error> + Send + 'static,
    {
        let (sender, answer) = oneshot::channel();
        self.shared.tell(Input::Run(Box::new(|driver, options| {
            // Who has gone away wants no answer.
            Box::pin(async move { drop(sender.send(errand(driver, options).await)) })
        })));
        let answered = answer.await.map_err(|_| Error::Closed)?;
        answered.map_err(|error| Error::NotConnected { source: Some(Arc::new(error)) })
    }

    /// The same on a session, which is opened for it and ended after it.
    async fn run_on_session<T, F>(&self, errand: F) -> Result<T, Error<D::Error>>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&D::Session) -> Result<T, D::Error> + Send + 'static,
    {
        let ran = self.run(async move |driver: Arc<D>, options| {
            let session = driver.open(&options).await?;
            let answered = errand(&session).await;
            session.end().await;
            Ok(answered)
        });
        ran.await?.map_err(Error::statement::<D>)
    }
}

impl<D: UrlDriver> Locks<D> {
    /// Locks on the server that a URL names, with one session open: what cannot work is known now.
    ///
    /// # Errors
    /// [`Error::NotConnected`] where the URL names nothing, or no session could be opened there.
    ///
    /// # Cancel safety
    /// Dropped, nothing stays open.
    ///
    /// # Examples
    /// ```no_run
    /// # async fn example<D: dlock_db::UrlDriver>() -> Result<(), dlock_db::LocksError<D::Error>> {
    /// # use dlock_db::Locks as Any;
    /// # type Locks<D> = Any<D>;
    /// let locks = Locks::<D>::connect("postgres://app@db/app").await?;
    /// # drop(locks);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn connect(url: impl AsRef<str>) -> Result<Self, Error<D::Error>> {
        Self::builder_from_url(url)?.connect().await
    }

    /// Settings for locks on the server that a URL names. Nothing is opened yet.
    ///
    /// # Errors
    /// [`Error::NotConnected`] where the URL names nothing.
    ///
    /// # Examples
    /// ```no_run
    /// # async fn example<D: dlock_db::UrlDriver>() -> Result<(), dlock_db::LocksError<D::Error>> {
    /// # use dlock_db::Locks;
    /// let builder = Locks::<D>::builder_from_url("postgres://app@db/app")?;
    /// let locks = builder.name("billing").connect().await?;
    /// # drop(locks);
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder_from_url(url: impl AsRef<str>) -> Result<LocksBuilder<D>, Error<D::Error>> {
        let driver = D::from_url(url.as_ref());
        let driver = driver.map_err(|error| Error::NotConnected { source: Some(Arc::new(error)) });
        driver.map(LocksBuilder::new)
    }
}

impl<D: InspectDriver> Locks<D> {
    /// Who holds and who waits on this server, for any key: those who use this library, and those who do not.
    ///
    /// # Errors
    /// [`Error::NotConnected`] where no session could be opened, [`Error::Setup`] where a grant is missing, and
    /// [`Error::Statement`].
    ///
    /// # Cancel safety
    /// May be dropped at any time.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// let held = locks.lock("invoice:42").await?;
    /// for holder in locks.holders().await? {
    ///     println!("{} by session {}, {:?}", holder.key, holder.session, holder.host);
    /// }
    /// # drop(held);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn holders(&self) -> Result<Vec<Holder<D::Key>>, Error<D::Error>> {
        self.look(None).await
    }

    /// Who holds this key, and who waits for it.
    ///
    /// # Errors
    /// As [`holders`](Self::holders), and [`Error::Key`].
    ///
    /// # Cancel safety
    /// May be dropped at any time.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// let held = locks.lock("invoice:42").await?;
    /// let holders = locks.holder("invoice:42").await?;
    /// assert_eq!(holders.iter().filter(|it| !it.is_waiting).count(), 1);
    /// # drop(held);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn holder<K>(&self, key: K) -> Result<Vec<Holder<D::Key>>, Error<D::Error>>
    where
        K: TryInto<D::Key, Error: Into<KeyError>>,
    {
        self.look(Some(self.checked(key)?)).await
    }

    pub(crate) async fn look(
        &self,
        key: Option<D::Key>,
    ) -> Result<Vec<Holder<D::Key>>, Error<D::Error>> {
        let look = async move |session: &D::Session| D::holders(session, key.as_ref()).await;
        self.with_names(self.run_on_session(look).await?).await
    }

    /// What this process knows by a name is called by it.
    async fn with_names(
        &self,
        holders: Vec<Holder<D::Key>>,
    ) -> Result<Vec<Holder<D::Key>>, Error<D::Error>> {
        let (sender, names) = oneshot::channel();
        let keys = holders.iter().map(|holder| holder.key.clone()).collect();
        self.shared.tell(Input::Names(keys, sender));
        let names = names.await.map_err(|_| Error::Closed)?;
        Ok(holders.into_iter().zip(names).map(|(holder, name)| holder.map(|_| name)).collect())
    }

    /// Ends the sessions that hold this key, whoever they are, and returns all that they held and waited
    /// for, which ends with them. Each is a warning in traces before it is ended.
    ///
    /// # Errors
    /// As [`holder`](Self::holder). Some sessions may have been ended then.
    ///
    /// # Cancel safety
    /// Dropped, it goes on.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// let held = locks.lock("invoice:42").await?;
    /// for ended in locks.free("invoice:42").await? {
    ///     println!("{} ended with session {}", ended.key, ended.session);
    /// }
    /// held.lost().await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn free<K>(&self, key: K) -> Result<Vec<Holder<D::Key>>, Error<D::Error>>
    where
        K: TryInto<D::Key, Error: Into<KeyError>>,
    {
        let key = self.checked(key)?;
        let free = async move |session: &D::Session| free::<D>(session, &key).await;
        self.with_names(self.run_on_session(free).await?).await
    }

    /// Looks for what would make locks lie here. It changes nothing, and takes only keys of its own. No
    /// finding: nothing was found.
    ///
    /// # Errors
    /// [`Error::NotConnected`] where the server could not be asked at all.
    ///
    /// # Cancel safety
    /// May be dropped at any time.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// for finding in locks.check().await? {
    ///     println!("{}: {finding}", finding.name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn check(&self) -> Result<Vec<Finding>, Error<D::Error>> {
        self.run(async |driver: Arc<D>, options| driver.check(&options).await).await
    }
}

async fn free<D: InspectDriver>(
    session: &D::Session,
    key: &D::Key,
) -> Result<Vec<Holder<D::Key>>, D::Error> {
    let of_key = D::holders(session, Some(key)).await?;
    let holding = of_key.iter().filter(|it| !it.is_waiting);
    let mut numbers = Vec::from_iter(holding.map(|holder| holder.session.clone()));
    numbers.sort();
    numbers.dedup();
    // Where all keys cannot be seen, what is known of this one is told.
    let mut ending = D::holders(session, None).await.unwrap_or(of_key);
    ending.retain(|holder| numbers.contains(&holder.session));
    for number in &numbers {
        let keys = ending.iter().filter(|it| it.session == *number).map(|it| it.key.to_string());
        let keys = Vec::from_iter(keys).join(", ");
        warn!(db.system.name = D::SYSTEM, session = %number, %keys, "a session is ended with all its locks");
        D::end_session(session, number).await?;
    }
    Ok(ending)
}

impl<D: FencedDriver> Locks<D> {
    /// Makes the two tables that [fenced](crate::Request::fenced) locks need, where they are not there.
    ///
    /// # Errors
    /// [`Error::NotConnected`] where no session could be opened; [`Error::Setup`] or [`Error::Statement`] where the
    /// server refused: [`FencedDriver::DDL`] is what has to be run then, by somebody who may.
    ///
    /// # Cancel safety
    /// Dropped, it goes on.
    ///
    /// # Examples
    /// ```
    /// # use dlock_db::{FencedDriver, Locks};
    /// # async fn example<D: FencedDriver>(locks: Locks<D>)
    /// # -> Result<(), Box<dyn std::error::Error>>
    /// # where
    /// #     for<'k> D::Key: From<&'k str>,
    /// # {
    /// locks.setup().await?; // once, by somebody who may create tables
    /// let held = locks.key("invoice:42")?.fenced().lock().await?;
    /// # drop(held);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn setup(&self) -> Result<(), Error<D::Error>> {
        self.run_on_session(async |session: &D::Session| D::setup(session).await).await
    }
}
