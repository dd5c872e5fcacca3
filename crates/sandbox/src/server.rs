//! The two listeners, and what every request passes through.

use std::any::Any;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::dev::{Extensions, Payload, ServerHandle, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, Bytes, Data, PayloadConfig};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};

use crate::fault::FaultKind;
use crate::journal::Side;
use crate::world::World;
use crate::{amocrm, control, emitter, lptracker};

/// Largest request body taken, bytes.
const BODY_LIMIT: usize = 32 * 1024 * 1024;

/// How to start a sandbox.
#[derive(Clone, Debug)]
pub struct Options {
    /// Port of the fake amoCRM, 0 = any free one.
    pub amocrm_port: u16,
    /// Port of the fake LPTracker, 0 = any free one.
    pub lptracker_port: u16,
    /// Address to listen on.
    pub address: String,
    /// Whether example contacts, deals and leads are there from the start.
    pub demo: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            amocrm_port: 0,
            lptracker_port: 0,
            address: "127.0.0.1".to_owned(),
            demo: false,
        }
    }
}

impl Options {
    /// Random ports, demo data.
    pub fn demo() -> Self {
        Self {
            demo: true,
            ..Self::default()
        }
    }
}

/// Why a sandbox did not start.
#[derive(Debug)]
pub struct StartError(std::io::Error);

impl std::fmt::Display for StartError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the sandbox could not listen on its ports")
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

impl From<std::io::Error> for StartError {
    fn from(error: std::io::Error) -> Self {
        Self(error)
    }
}

/// A running sandbox; stops when dropped.
pub struct Sandbox {
    /// `http://127.0.0.1:port` of the fake amoCRM, without a slash at the end.
    pub amocrm_url: String,
    /// `http://127.0.0.1:port` of the fake LPTracker, without a slash at the end.
    pub lptracker_url: String,
    /// State of both fakes.
    pub world: Arc<World>,
    servers: Vec<ServerHandle>,
    thread: Option<JoinHandle<()>>,
}

impl Sandbox {
    /// Starts both fakes on a thread of their own and returns when both listen.
    ///
    /// # Panics
    /// When a port cannot be bound; [`Sandbox::try_start`] returns that as an error.
    pub fn start(options: Options) -> Self {
        Self::try_start(options).expect("the sandbox listens")
    }

    /// Starts both fakes on a thread of their own and returns when both listen.
    pub fn try_start(options: Options) -> Result<Self, StartError> {
        // Another part of the process may have installed a provider already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let world = World::new(options.demo);
        let (tell, told) = mpsc::channel();
        let thread = std::thread::Builder::new().name("sandbox".to_owned()).spawn({
            let world = Arc::clone(&world);
            move || {
                actix_web::rt::System::new().block_on(async move {
                    let bound = bind(&options, &world);
                    match bound {
                        Err(error) => drop(tell.send(Err(error))),
                        Ok((amocrm, amocrm_at, lptracker, lptracker_at)) => {
                            let delivery = actix_web::rt::spawn(emitter::run(Arc::downgrade(&world)));
                            let calls = actix_web::rt::spawn(lptracker::run(Arc::downgrade(&world)));
                            drop(world);
                            let handles = vec![amocrm.handle(), lptracker.handle()];
                            let _ = tell.send(Ok((amocrm_at, lptracker_at, handles)));
                            let (a, b) = futures::join!(amocrm, lptracker);
                            delivery.abort();
                            calls.abort();
                            if let Err(error) = a.and(b) {
                                tracing::error!(%error, "a listener ended badly");
                            }
                        }
                    }
                });
            }
        })?;
        let gone = || std::io::Error::other("the sandbox thread ended before it listened");
        let (amocrm_at, lptracker_at, servers) = told.recv().map_err(|_| gone())??;
        Ok(Self {
            amocrm_url: format!("http://{amocrm_at}"),
            lptracker_url: format!("http://{lptracker_at}"),
            world,
            servers,
            thread: Some(thread),
        })
    }

    /// Stops both listeners and waits for the thread.
    pub fn stop(mut self) {
        self.halt();
    }

    fn halt(&mut self) {
        for server in self.servers.drain(..) {
            // The returned future only waits; the command is already sent.
            drop(server.stop(false));
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.halt();
    }
}

type Bound = (
    actix_web::dev::Server,
    SocketAddr,
    actix_web::dev::Server,
    SocketAddr,
);

fn bind(options: &Options, world: &Arc<World>) -> std::io::Result<Bound> {
    let (amocrm, amocrm_at) = listen(options, options.amocrm_port, Side::Amocrm, world)?;
    let (lptracker, lptracker_at) = listen(options, options.lptracker_port, Side::Lptracker, world)?;
    Ok((amocrm, amocrm_at, lptracker, lptracker_at))
}

fn listen(
    options: &Options,
    port: u16,
    side: Side,
    world: &Arc<World>,
) -> std::io::Result<(actix_web::dev::Server, SocketAddr)> {
    let world = Data::from(Arc::clone(world));
    let server = HttpServer::new(move || {
        let app = App::new()
            .app_data(world.clone())
            .app_data(PayloadConfig::new(BODY_LIMIT))
            .app_data(web::JsonConfig::default().limit(BODY_LIMIT))
            .wrap(from_fn(move |req, next| observe(side, req, next)))
            .configure(control::configure);
        match side {
            Side::Amocrm => app.configure(amocrm::configure),
            Side::Lptracker => app.configure(lptracker::configure),
        }
    })
    .workers(1)
    .disable_signals()
    .shutdown_timeout(1)
    .on_connect(keep_socket)
    .bind((options.address.as_str(), port))?;
    let address = server
        .addrs()
        .first()
        .copied()
        .ok_or_else(|| std::io::Error::other("the listener has no address"))?;
    Ok((server.run(), address))
}

/// A second handle of the connection's socket, so that a fault can close it without an answer.
struct Socket(TcpStream);

fn keep_socket(io: &dyn Any, data: &mut Extensions) {
    use std::os::fd::AsFd;
    if let Some(stream) = io.downcast_ref::<actix_web::rt::net::TcpStream>()
        && let Ok(copy) = stream.as_fd().try_clone_to_owned()
    {
        data.insert(Socket(TcpStream::from(copy)));
    }
}

/// Journal and faults around every request that belongs to a fake.
async fn observe(
    side: Side,
    mut request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let path = request.uri().to_string();
    if request.path() == "/" || request.path().starts_with("/_sandbox") || request.path() == "/favicon.ico" {
        return next.call(request).await;
    }
    let Some(world) = request.app_data::<Data<World>>().cloned() else {
        return next.call(request).await;
    };
    let method = request.method().as_str().to_owned();
    let body = request.extract::<Bytes>().await.unwrap_or_default();
    request.set_payload(Payload::from(body.clone()));
    let write = match side {
        Side::Amocrm => amocrm::is_write(&method, request.path()),
        Side::Lptracker => lptracker::is_write(&method, request.path()),
    };
    let seq = world.journal.begin(side, &method, &path, &body, write);
    let fault = world.faults.take(side, &method, &path);
    let name = fault.as_ref().map(|f| format!("{f:?}"));
    let cut_after = matches!(fault, Some(FaultKind::CutAfterApply));
    let mut forced = None;
    match fault {
        None | Some(FaultKind::CutAfterApply) => {}
        Some(FaultKind::Delay { ms }) => tokio::time::sleep(Duration::from_millis(ms)).await,
        Some(FaultKind::StatusAfterApply { code }) => forced = Some(code),
        Some(FaultKind::CutBeforeApply) => {
            // Noted first: the caller may look the moment the connection is gone.
            world.journal.finish(seq, 0, b"", name);
            cut(request.request());
            return Ok(request.into_response(HttpResponse::Ok().finish()));
        }
        Some(kind) => {
            let (response, text) = played(side, kind);
            world
                .journal
                .finish(seq, response.status().as_u16(), text.as_bytes(), name);
            return Ok(request.into_response(response));
        }
    }
    let response = next.call(request).await?;
    let (request, response) = response.into_parts();
    let (head, body) = response.into_parts();
    let body = actix_web::body::to_bytes(body).await.unwrap_or_default();
    if cut_after {
        world.journal.finish(seq, 0, &body, name);
        cut(&request);
    } else if let Some(code) = forced {
        let (response, text) = played(side, FaultKind::status(code));
        world.journal.finish(seq, code, text.as_bytes(), name);
        return Ok(ServiceResponse::new(request, response));
    } else {
        world.journal.finish(seq, head.status().as_u16(), &body, name);
    }
    Ok(ServiceResponse::new(request, head.set_body(BoxBody::new(body))))
}

fn cut(request: &HttpRequest) {
    if let Some(socket) = request.conn_data::<Socket>() {
        let _ = socket.0.shutdown(Shutdown::Both);
    }
}

/// The page a front server shows to a banned caller.
pub(crate) const BAN_PAGE: &str = "<html>\r\n<head><title>403 Forbidden</title></head>\r\n<body>\r\n\
     <center><h1>403 Forbidden</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n";

fn played(side: Side, kind: FaultKind) -> (HttpResponse, String) {
    let json = "application/problem+json; charset=utf-8";
    let (code, content_type, text, retry_after) = match kind {
        FaultKind::Html403 => (403, "text/html", BAN_PAGE.to_owned(), None),
        FaultKind::NotJson => (
            200,
            "text/html",
            "<html><body>Технические работы</body></html>".to_owned(),
            None,
        ),
        FaultKind::Raw { status, body } => (status, "application/json", body, None),
        FaultKind::ErrorEnvelope { code, message } => {
            let body = serde_json::json!({"status": "error", "errors": [{"code": code, "message": message}]});
            (200, "application/json", body.to_string(), None)
        }
        FaultKind::Status {
            code,
            body: Some(body),
            retry_after,
        } => (code, "application/json", body, retry_after),
        FaultKind::Status {
            code,
            body: None,
            retry_after,
        } => match (side, code) {
            (Side::Amocrm, 502 | 504) => (code, "text/html", gateway_page(code), retry_after),
            (Side::Amocrm, _) => (code, json, amocrm::problem_text(code, retry_after), retry_after),
            (Side::Lptracker, _) => (code, "text/html", gateway_page(code), retry_after),
        },
        FaultKind::StatusAfterApply { .. }
        | FaultKind::Delay { .. }
        | FaultKind::CutBeforeApply
        | FaultKind::CutAfterApply => (200, json, String::new(), None),
    };
    let mut response = HttpResponse::build(StatusCode::from_u16(code).unwrap_or(StatusCode::BAD_GATEWAY));
    response.content_type(content_type);
    if let Some(seconds) = retry_after {
        response.insert_header(("retry-after", seconds.to_string()));
    }
    (response.body(text.clone()), text)
}

fn gateway_page(code: u16) -> String {
    let reason = StatusCode::from_u16(code)
        .ok()
        .and_then(|s| s.canonical_reason())
        .unwrap_or("Error");
    format!(
        "<html>\r\n<head><title>{code} {reason}</title></head>\r\n<body>\r\n<center><h1>{code} {reason}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    )
}
