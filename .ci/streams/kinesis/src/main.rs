//! Kinesis on a free port of the loopback address, with the limits of real shards.
//!
//! It prints its address, and ends when its standard input does: it never outlives who started it.

use std::io::Read as _;

use axum::extract::DefaultBodyLimit;
use ferrokinesis::create_app;
use ferrokinesis::store::StoreOptions;
use tokio::net::TcpListener;

/// `PutRecords` takes 10 MiB of data, which are a third more in base64.
const BODY_BYTES: usize = 16 << 20;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let options = StoreOptions {
        enforce_limits: true,
        shard_limit: 200,
        create_stream_ms: 0,
        delete_stream_ms: 0,
        // Long enough for puts to meet a stream that is being resharded.
        update_stream_ms: 200,
        aws_account_id: "123456789012".to_owned(),
        aws_region: "eu-west-1".to_owned(),
        ..StoreOptions::default()
    };
    let (app, _store) = create_app(options);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    std::thread::spawn(|| {
        std::io::stdin().read_to_end(&mut Vec::new()).ok();
        std::process::exit(0);
    });
    axum::serve(listener, app.layer(DefaultBodyLimit::max(BODY_BYTES))).await
}
