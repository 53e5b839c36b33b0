//! The server: a thread of its own with a listener on loopback.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use crate::connection;
use crate::engine::Engine;
use crate::tls;

/// A running server; dropping it stops it and closes every connection.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a server on a free port of 127.0.0.1, on a thread and a runtime of its own, so
    /// that callers on different runtimes can share it.
    ///
    /// # Errors
    ///
    /// When no port can be listened on or no thread can be had.
    pub async fn start() -> io::Result<Server> {
        Self::begin(None).await
    }

    /// Starts a server that has TLS too, with this certificate and its key in PEM.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start), and when it is no certificate or no key.
    pub async fn start_with_tls(certificate: &str, key: &str) -> io::Result<Server> {
        Self::begin(Some(tls::acceptor(certificate, key)?)).await
    }

    async fn begin(tls: Option<TlsAcceptor>) -> io::Result<Server> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let (ready, started) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("standin-mssql".to_owned())
            .spawn(move || run(listener, tls, stopped, ready))?;
        let server = Server { address, stop: Some(stop), thread: Some(thread) };
        started.await.map_err(io::Error::other)??;
        Ok(server)
    }

    /// The address that it listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// An ADO.NET connection string, as `tiberius::Config::from_ado_string` takes it.
    #[must_use]
    pub fn url(&self) -> String {
        format!(
            "Server=tcp:{},{};Database=dlock;User Id=sa;Password=dlock;Encrypt=DANGER_PLAINTEXT;TrustServerCertificate=true",
            self.address.ip(),
            self.address.port()
        )
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has stopped as well.
            let _ = thread.join();
        }
    }
}

fn run(
    listener: std::net::TcpListener,
    tls: Option<TlsAcceptor>,
    stopped: oneshot::Receiver<()>,
    ready: oneshot::Sender<io::Result<()>>,
) {
    let built = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = match built {
        Ok(runtime) => runtime,
        Err(error) => {
            // Nobody waits any more when the caller's future was dropped.
            let _ = ready.send(Err(error));
            return;
        }
    };
    runtime.block_on(async {
        let listener = TcpListener::from_std(listener);
        let outcome = listener.as_ref().map(|_| ()).map_err(|error| io::Error::from(error.kind()));
        let _ = ready.send(outcome);
        let Ok(listener) = listener else { return };
        tokio::select! {
            _ = stopped => {}
            () = accept(listener, tls) => {}
        }
    });
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>) {
    let engine = Arc::new(Engine::default());
    tokio::spawn(Arc::clone(&engine).monitor());
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(connection::serve(Arc::clone(&engine), stream, tls.clone()));
        }
    }
}
