//! The programs that load the pixel: browsers, mail readers and their proxies, apps, declared bots.

/// Which part a client plays; it decides what it asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Role {
    /// A person's browser, which runs the tag.
    #[default]
    Browser,
    /// A mail reader, or the proxy that loads images for it.
    Mail,
    /// A native app or a server that writes the query itself.
    App,
    /// A declared bot or a plain tool.
    Bot,
}

/// One header of a request, in the client's own order.
#[derive(Debug, Clone, Copy)]
pub(super) enum Header {
    /// The same in every request of the client.
    Always(&'static str, &'static str),
    /// `host`.
    Host,
    /// `user-agent`.
    UserAgent,
    /// `accept`, as [`Client::accept`] says.
    Accept,
    /// `accept-encoding`, as [`Client::accept_encoding`] says.
    AcceptEncoding,
    /// `accept-language`, as the visitor prefers.
    Language,
    /// `referer`, when there is one.
    Referer,
    /// `cookie`, when there is one.
    Cookie,
    /// `sec-fetch-site`: where the page stands to the pixel.
    FetchSite,
    /// `dnt` or `sec-gpc`, when the visitor asks for it.
    Consent,
}

/// One program with what it sends.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Client {
    /// Part that it plays.
    pub(super) role: Role,
    /// `User-Agent`, before the log encodes it.
    pub(super) user_agent: &'static str,
    /// `HTTP/1.1` clients write `Host`, later ones `host`.
    pub(super) protocol: &'static str,
    /// `Accept`; empty when the client sends none.
    pub(super) accept: &'static str,
    /// `Accept-Encoding`; empty when the client sends none.
    pub(super) accept_encoding: &'static str,
    /// Headers, in order.
    pub(super) headers: &'static [Header],
    /// Screen and viewport, width and height each; `None` for what has no screen.
    pub(super) screen: Option<[u64; 4]>,
}

use Header::{
    Accept, AcceptEncoding, Always, Consent, Cookie, FetchSite, Host, Language, Referer, UserAgent,
};

const CHROME_IMAGES: &str = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8";
const SAFARI_IMAGES: &str = "image/webp,image/avif,image/jxl,image/heic,image/heic-sequence,video/*;q=0.8,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5";
const FIREFOX_IMAGES: &str = "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5";

const CHROME_WINDOWS: &[Header] = &[
    Host,
    Always("sec-ch-ua-platform", "\"Windows\""),
    UserAgent,
    Always(
        "sec-ch-ua",
        "\"Chromium\";v=\"142\", \"Google Chrome\";v=\"142\", \"Not_A Brand\";v=\"99\"",
    ),
    Consent,
    Always("sec-ch-ua-mobile", "?0"),
    Accept,
    FetchSite,
    Always("sec-fetch-mode", "no-cors"),
    Always("sec-fetch-dest", "image"),
    Referer,
    AcceptEncoding,
    Language,
    Cookie,
    Always("priority", "i"),
];

const CHROME_ANDROID: &[Header] = &[
    Host,
    Always("sec-ch-ua-platform", "\"Android\""),
    UserAgent,
    Always(
        "sec-ch-ua",
        "\"Chromium\";v=\"142\", \"Google Chrome\";v=\"142\", \"Not_A Brand\";v=\"99\"",
    ),
    Consent,
    Always("sec-ch-ua-mobile", "?1"),
    Accept,
    FetchSite,
    Always("sec-fetch-mode", "no-cors"),
    Always("sec-fetch-dest", "image"),
    Referer,
    AcceptEncoding,
    Language,
    Cookie,
    Always("priority", "i"),
];

/// A pixel host that asked for every client hint gets them all; the list of headers is then near 800 bytes.
const EDGE_WITH_ALL_HINTS: &[Header] = &[
    Host,
    Always(
        "sec-ch-ua-full-version-list",
        "\"Chromium\";v=\"142.0.7444.60\", \"Microsoft Edge\";v=\"142.0.3595.53\", \"Not_A Brand\";v=\"99.0.0.0\"",
    ),
    Always("sec-ch-ua-platform", "\"Windows\""),
    Always(
        "sec-ch-ua",
        "\"Chromium\";v=\"142\", \"Microsoft Edge\";v=\"142\", \"Not_A Brand\";v=\"99\"",
    ),
    Always("sec-ch-ua-bitness", "\"64\""),
    Always("sec-ch-ua-model", "\"\""),
    Always("sec-ch-ua-mobile", "?0"),
    Always("sec-ch-ua-wow64", "?0"),
    Always("sec-ch-ua-arch", "\"x86\""),
    UserAgent,
    Consent,
    Always("sec-ch-ua-full-version", "\"142.0.3595.53\""),
    Accept,
    Always("sec-ch-ua-platform-version", "\"19.0.0\""),
    FetchSite,
    Always("sec-fetch-mode", "no-cors"),
    Always("sec-fetch-dest", "image"),
    Referer,
    AcceptEncoding,
    Language,
    Cookie,
    Always("priority", "i"),
];

const SAFARI: &[Header] = &[
    Host,
    Always("sec-fetch-dest", "image"),
    UserAgent,
    Accept,
    Referer,
    FetchSite,
    Always("sec-fetch-mode", "no-cors"),
    Language,
    Always("priority", "u=5, i"),
    AcceptEncoding,
    Cookie,
];

const FIREFOX: &[Header] = &[
    Host,
    UserAgent,
    Accept,
    Language,
    AcceptEncoding,
    Referer,
    Consent,
    Cookie,
    Always("sec-fetch-dest", "image"),
    Always("sec-fetch-mode", "no-cors"),
    FetchSite,
    Always("priority", "u=5, i"),
    Always("te", "trailers"),
];

const OLD_BROWSER: &[Header] = &[Host, UserAgent, Accept, Referer, AcceptEncoding, Language, Cookie];
const LEAN: &[Header] = &[Host, UserAgent, AcceptEncoding];
const LEAN_WITH_ACCEPT: &[Header] = &[Host, UserAgent, Accept, AcceptEncoding];
const APPLE_MAIL: &[Header] = &[Host, Accept, UserAgent, Language, AcceptEncoding];
const OUTLOOK: &[Header] = &[
    Host,
    Accept,
    UserAgent,
    AcceptEncoding,
    Always("Connection", "Keep-Alive"),
];
const APPLE_APP: &[Header] = &[Host, Accept, UserAgent, Language, AcceptEncoding];
const CRAWLER: &[Header] = &[
    Host,
    UserAgent,
    Always("from", "crawler@bots.example"),
    Accept,
    AcceptEncoding,
];

macro_rules! clients {
    ($($weight:literal: $role:ident $protocol:literal $accept:expr, $encoding:literal, $headers:expr, $screen:expr, $user_agent:literal;)*) => {
        /// All clients with how often they come.
        ///
        /// Much of the traffic is mail and apps, whose requests are short: so a line with all fields is
        /// about as long as those that the project's benches are counted in. A browser's line is twice that.
        pub(super) const CLIENTS: &[(u64, Client)] = &[$(($weight, Client {
            role: Role::$role,
            user_agent: $user_agent,
            protocol: $protocol,
            accept: $accept,
            accept_encoding: $encoding,
            headers: $headers,
            screen: $screen,
        }),)*];
    };
}

clients! {
    // Browsers.
    50: Browser "HTTP/2.0" CHROME_IMAGES, "gzip, deflate, br, zstd", CHROME_WINDOWS, Some([1920, 1080, 1903, 969]),
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
    40: Browser "HTTP/3.0" CHROME_IMAGES, "gzip, deflate, br, zstd", CHROME_ANDROID, Some([412, 915, 412, 785]),
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36";
    10: Browser "HTTP/2.0" CHROME_IMAGES, "gzip, deflate, br, zstd", EDGE_WITH_ALL_HINTS, Some([2560, 1440, 2543, 1309]),
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0";
    30: Browser "HTTP/2.0" SAFARI_IMAGES, "gzip, deflate, br", SAFARI, Some([1440, 900, 1440, 789]),
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15";
    60: Browser "HTTP/3.0" SAFARI_IMAGES, "gzip, deflate, br", SAFARI, Some([390, 844, 390, 664]),
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1";
    40: Browser "HTTP/3.0" FIREFOX_IMAGES, "gzip, deflate, br, zstd", FIREFOX, Some([1536, 864, 1536, 731]),
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0";
    10: Browser "HTTP/2.0" FIREFOX_IMAGES, "gzip, deflate, br, zstd", FIREFOX, Some([412, 892, 412, 741]),
        "Mozilla/5.0 (Android 15; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0";
    20: Browser "HTTP/1.1" "image/webp,*/*", "gzip, deflate", OLD_BROWSER, Some([1366, 768, 1349, 625]),
        "Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko";

    // Mail readers and their proxies.
    190: Mail "HTTP/1.1" "", "gzip, deflate, br", LEAN, None,
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)";
    50: Mail "HTTP/1.1" "*/*", "gzip, deflate", LEAN_WITH_ACCEPT, None,
        "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html";
    110: Mail "HTTP/2.0" "*/*", "gzip, deflate, br", APPLE_MAIL, None,
        "Mozilla/5.0";
    15: Mail "HTTP/1.1" "*/*", "gzip, deflate", OUTLOOK, None,
        "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; WOW64; Trident/7.0; .NET4.0C; .NET4.0E; Microsoft Outlook 16.0.5266; ms-office; MSOffice 16)";
    15: Mail "HTTP/2.0" "image/avif,image/webp,*/*", "gzip, deflate, br, zstd", APPLE_MAIL, None,
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Thunderbird/140.4.0";

    // Apps and servers.
    240: App "HTTP/2.0" "", "gzip", LEAN, None,
        "okhttp/4.12.0";
    70: App "HTTP/2.0" "*/*", "gzip, deflate, br", APPLE_APP, None,
        "Shop/812 CFNetwork/1568.200.51 Darwin/24.1.0";
    30: App "HTTP/1.1" "", "gzip", LEAN, None,
        "Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8 Build/AP2A.240805.005)";
    40: App "HTTP/1.1" "*/*", "gzip", LEAN_WITH_ACCEPT, None,
        "AdServer/3.2 (+https://ads.test/callback)";

    // Declared bots, AI crawlers, tools.
    25: Bot "HTTP/1.1" "*/*", "gzip, deflate, br", CRAWLER, None,
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
    12: Bot "HTTP/2.0" "*/*", "gzip, deflate, br", CRAWLER, None,
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/136.0.0.0 Safari/537.36";
    12: Bot "HTTP/2.0" "*/*", "gzip, br, deflate", CRAWLER, None,
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.3; +https://openai.com/gptbot)";
    8: Bot "HTTP/2.0" "*/*", "gzip, br, zstd, deflate", LEAN_WITH_ACCEPT, None,
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; ClaudeBot/1.0; +claudebot@anthropic.com)";
    6: Bot "HTTP/2.0" "*/*", "gzip, br", LEAN_WITH_ACCEPT, None,
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; PerplexityBot/1.0; +https://perplexity.ai/perplexitybot)";
    6: Bot "HTTP/2.0" "text/html,*/*;q=0.5", "br,gzip", LEAN_WITH_ACCEPT, None,
        "CCBot/2.0 (https://commoncrawl.org/faq/)";
    8: Bot "HTTP/1.1" "*/*", "gzip", LEAN_WITH_ACCEPT, None,
        "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)";
    8: Bot "HTTP/1.1" "*/*", "deflate, gzip", LEAN_WITH_ACCEPT, None,
        "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)";
    8: Bot "HTTP/1.1" "*/*", "", &[Host, UserAgent, Accept], None,
        "curl/8.5.0";
    7: Bot "HTTP/1.1" "*/*", "gzip, deflate", LEAN_WITH_ACCEPT, None,
        "python-requests/2.32.3";
}
