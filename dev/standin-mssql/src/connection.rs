//! One connection: the handshake, then one request after the other.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc};
use tokio_rustls::TlsAcceptor;

use crate::batch::Batch;
use crate::engine::{DATABASES, Engine};
use crate::fault::Fault;
use crate::login::{self, Login, Malformed};
use crate::packet::{self, Message};
use crate::rpc::Reader;
use crate::session::Session;
use crate::tls;
use crate::token::{Answer, ERROR};

/// Requests to a transaction manager, as they are numbered on the wire.
const BEGIN: u16 = 5;
const COMMIT: u16 = 7;
const ROLLBACK: u16 = 8;
const SAVE: u16 = 9;

/// How often it is looked whether a request whose client is gone waits for a lock.
const LOOKS: Duration = Duration::from_millis(2);

/// How serving one request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Answered,
    Cancelled,
    Killed,
    Closed,
}

#[derive(Debug)]
struct Connection<W> {
    engine: Arc<Engine>,
    session: Session,
    kill: Arc<Notify>,
    inbox: mpsc::UnboundedReceiver<Message>,
    writer: W,
}

/// Serves a connection until either side ends it.
pub(crate) async fn serve(
    engine: Arc<Engine>,
    mut stream: TcpStream,
    tls: Option<TlsAcceptor>,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let Some(tls) = tls else {
        let (reader, writer) = stream.into_split();
        return talk(engine, reader, writer).await;
    };
    let Some(prelogin) = packet::read(&mut stream).await? else { return Ok(()) };
    let is_asked = login::asks_for_encryption(&prelogin.body);
    packet::write(&mut stream, 0, &login::prelogin(is_asked)).await?;
    if is_asked {
        let (reader, writer) = tokio::io::split(tls::accept(&tls, stream).await?);
        return talk(engine, reader, writer).await;
    }
    let (reader, writer) = stream.into_split();
    talk(engine, reader, writer).await
}

async fn talk<R, W>(engine: Arc<Engine>, mut reader: R, mut writer: W) -> io::Result<()>
where
    R: AsyncRead + Unpin + Send + 'static,
    W: AsyncWrite + Unpin,
{
    let Some(session) = handshake(&engine, &mut reader, &mut writer).await? else {
        return Ok(());
    };
    let (sender, inbox) = mpsc::unbounded_channel();
    let receiving = tokio::spawn(receive(reader, sender));
    let kill = engine.state().sessions[&session.id].kill.clone();
    let mut connection = Connection { engine, session, kill, inbox, writer };
    let outcome = connection.run().await;
    let Connection { engine, session, .. } = &mut connection;
    engine.leave(session);
    receiving.abort();
    outcome
}

/// Hands on what comes in, so that the end of the connection is seen at once.
async fn receive<R: AsyncRead + Unpin>(mut reader: R, sender: mpsc::UnboundedSender<Message>) {
    while let Ok(Some(message)) = packet::read(&mut reader).await {
        if sender.send(message).is_err() {
            return;
        }
    }
}

async fn handshake<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
    engine: &Engine,
    reader: &mut R,
    writer: &mut W,
) -> io::Result<Option<Session>> {
    while let Some(message) = packet::read(reader).await? {
        match message.kind {
            packet::PRELOGIN => packet::write(writer, 0, &login::prelogin(false)).await?,
            packet::LOGIN => return admit(engine, &message.body, writer).await,
            _ => return Ok(None),
        }
    }
    Ok(None)
}

async fn admit<W: AsyncWrite + Unpin>(
    engine: &Engine,
    body: &[u8],
    writer: &mut W,
) -> io::Result<Option<Session>> {
    let Ok(login) = Login::read(body) else {
        return Ok(None);
    };
    let wanted = if login.database.is_empty() { "master" } else { &login.database };
    let known = DATABASES.iter().find(|known| known.eq_ignore_ascii_case(wanted));
    let mut answer = Answer::default();
    let Some(database) = known else {
        let message =
            format!("Cannot open database \"{wanted}\" requested by the login. The login failed.");
        answer.fault(&Fault::new(4060, message).class(11));
        answer.done(ERROR, 0, 0);
        answer.finish_batch();
        packet::write(writer, 0, &answer.bytes).await?;
        return Ok(None);
    };
    login.welcome(&mut answer, database);
    answer.finish_batch();
    let session = engine.enter(login, database);
    if let Err(error) = packet::write(writer, session.id, &answer.bytes).await {
        let mut session = session;
        engine.leave(&mut session);
        return Err(error);
    }
    Ok(Some(session))
}

impl<W: AsyncWrite + Unpin> Connection<W> {
    async fn run(&mut self) -> io::Result<()> {
        loop {
            let message = tokio::select! {
                () = self.kill.notified() => return Ok(()),
                message = self.inbox.recv() => message,
            };
            let Some(message) = message else {
                return Ok(());
            };
            let mut answer = Answer::default();
            let end = match message.kind {
                packet::ATTENTION => End::Cancelled,
                _ => self.answer(&message, &mut answer).await,
            };
            self.conclude(end, &mut answer);
            if end == End::Closed {
                return Ok(());
            }
            packet::write(&mut self.writer, self.session.id, &answer.bytes).await?;
            if end == End::Killed {
                return Ok(());
            }
        }
    }

    /// Runs a request until it is done, cancelled or killed. That nobody listens any more is seen while
    /// it waits for a lock, and otherwise only when it is done.
    async fn answer(&mut self, message: &Message, answer: &mut Answer) -> End {
        if message.reset {
            self.engine.reset(&mut self.session);
        }
        self.engine.show(&self.session, true);
        let (id, engine) = (self.session.id, Arc::clone(&self.engine));
        let end = tokio::select! {
            biased;
            () = serve_request(&self.engine, &mut self.session, answer, message) => End::Answered,
            () = self.kill.notified() => End::Killed,
            end = interruption(&mut self.inbox, &engine, id) => end,
        };
        self.engine.show(&self.session, false);
        end
    }

    fn conclude(&mut self, end: End, answer: &mut Answer) {
        match end {
            End::Answered | End::Closed => {}
            End::Cancelled => {
                if self.session.xact_abort && self.session.transactions > 0 {
                    let mut batch = Batch::new(&self.engine, &mut self.session, answer);
                    // It was just seen to be open.
                    let _ = batch.rollback(None);
                }
                answer.finish_cancelled();
            }
            End::Killed => {
                answer.depth = 0;
                answer.fault(&Fault::killed());
                answer.done(ERROR, 0, 0);
                answer.finish_batch();
            }
        }
    }
}

/// What a client cuts a request short with.
async fn interruption(
    inbox: &mut mpsc::UnboundedReceiver<Message>,
    engine: &Engine,
    session: u16,
) -> End {
    match inbox.recv().await {
        Some(message) if message.kind == packet::ATTENTION => return End::Cancelled,
        // A second request before the first is answered breaks the protocol.
        Some(_) => return End::Closed,
        None => {}
    }
    while !engine.state().locks.awaits(session) {
        tokio::time::sleep(LOOKS).await;
    }
    End::Closed
}

async fn serve_request(
    engine: &Engine,
    session: &mut Session,
    answer: &mut Answer,
    message: &Message,
) {
    let outcome = match message.kind {
        packet::BATCH => batch(engine, session, answer, &message.body).await,
        packet::RPC => remote_call(engine, session, answer, &message.body).await,
        packet::TRANSACTION => transaction(engine, session, answer, &message.body),
        _ => Err(Malformed),
    };
    if outcome.is_err() {
        let message = "The incoming tabular data stream (TDS) protocol stream is incorrect.";
        answer.fault(&Fault::new(4002, message));
        answer.done(ERROR, 0, 0);
        answer.finish_batch();
    }
}

async fn batch(
    engine: &Engine,
    session: &mut Session,
    answer: &mut Answer,
    body: &[u8],
) -> Result<(), Malformed> {
    let (descriptor, reader) = Reader::after_headers(body)?;
    if resumed(session, answer, descriptor) {
        let text = reader.text();
        Batch::new(engine, session, answer).run_text(&text).await;
    }
    answer.finish_batch();
    Ok(())
}

async fn remote_call(
    engine: &Engine,
    session: &mut Session,
    answer: &mut Answer,
    body: &[u8],
) -> Result<(), Malformed> {
    let (descriptor, reader) = Reader::after_headers(body)?;
    let call = reader.call()?;
    if resumed(session, answer, descriptor) {
        Batch::new(engine, session, answer).remote(call).await;
    } else {
        answer.finish_batch();
    }
    Ok(())
}

fn transaction(
    engine: &Engine,
    session: &mut Session,
    answer: &mut Answer,
    body: &[u8],
) -> Result<(), Malformed> {
    let (descriptor, mut reader) = Reader::after_headers(body)?;
    if resumed(session, answer, descriptor) {
        let kind = reader.u16()?;
        if kind == BEGIN {
            reader.u8()?;
        }
        let name = reader.b_varchar()?;
        let mut batch = Batch::new(engine, session, answer);
        let outcome = match kind {
            BEGIN => {
                batch.begin();
                Ok(())
            }
            COMMIT => batch.commit(),
            ROLLBACK => batch.rollback(Some(name.as_str()).filter(|name| !name.is_empty())),
            SAVE => batch.save(&name),
            _ => return Err(Malformed),
        };
        if let Err(fault) = outcome {
            answer.fault(&fault);
            answer.done(ERROR, 0, 0);
        }
    }
    answer.finish_batch();
    Ok(())
}

/// Whether the client's idea of the open transaction is the server's.
fn resumed(session: &Session, answer: &mut Answer, descriptor: u64) -> bool {
    if descriptor == session.descriptor {
        return true;
    }
    let fault = if descriptor == 0 {
        let message = "New request is not allowed to start because it should come with valid transaction descriptor.";
        Fault::new(3989, message)
    } else {
        let message = format!("The server failed to resume the transaction. Desc:{descriptor:x}.");
        Fault::new(3971, message)
    };
    answer.fault(&fault);
    answer.done(ERROR, 0, 0);
    false
}
