//! The baseline of the proxies: bytes from one socket to the other, and nothing else.

use std::net::SocketAddr;
use tokio::net::{TcpListener, TcpStream};

/// Relays every connection on `listener` to `upstream`, for ever.
pub(super) async fn run(listener: TcpListener, upstream: SocketAddr) {
    while let Ok((client, _)) = listener.accept().await {
        tokio::spawn(relay(client, upstream));
    }
}

async fn relay(mut client: TcpStream, upstream: SocketAddr) -> std::io::Result<()> {
    let mut centre = TcpStream::connect(upstream).await?;
    client.set_nodelay(true)?;
    centre.set_nodelay(true)?;
    tokio::io::copy_bidirectional_with_sizes(&mut client, &mut centre, RELAY_BYTES, RELAY_BYTES).await?;
    Ok(())
}

/// As much as the gateway reads at a time.
const RELAY_BYTES: usize = 64 * 1024;
