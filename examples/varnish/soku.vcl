# Varnish in front of an API: each request needs an API key that Soku accepts.
# Goes into /etc/varnish/. Needs Varnish 7.0 or newer, and vmod_header (Debian: varnish-modules).
vcl 4.1;

import header;
import std;

backend soku {
    .host = "127.0.0.1";
    .port = "3000";
    .connect_timeout = 1s;
    .first_byte_timeout = 2s;
    .between_bytes_timeout = 2s;
}

# Your API.
backend api {
    .host = "127.0.0.1";
    .port = "4000";
}

# A request passes twice: first Soku gets its headers; then, if the key is valid, the API gets the whole request.
sub vcl_recv {
    if (req.restarts == 0) {
        # A client must not make Varnish drop the identity on the way to your API (RFC 9110 section 7.6.1).
        if (req.http.Connection ~ "(?i)soku") { unset req.http.Connection; }
        set req.http.X-Forwarded-For = client.ip;

        # Keeps the body for the second pass. A larger one is rejected.
        if (!std.cache_req_body(10MB)) { return (synth(413)); }
        set req.backend_hint = soku;
        return (pass);
    }

    set req.backend_hint = api;
    # Your API does not get the key. To forward it, delete this line.
    unset req.http.Authorization;
    return (pass);
}

sub vcl_backend_fetch {
    if (bereq.backend == soku) {
        set bereq.http.X-Original-URI = bereq.url;
        set bereq.http.X-Original-Method = bereq.method;
        set bereq.url = "/v1/verify";
        set bereq.method = "GET";
        unset bereq.body;
        unset bereq.http.Cookie;
    } else {
        header.regsub(bereq, "(?i)^x-soku-limit-[^:]*:", "X-Soku-Dropped:");
        unset bereq.http.X-Soku-Dropped;
    }
}

sub vcl_backend_error {
    # Soku did not respond.
    if (bereq.backend == soku) {
        unset beresp.http.X-Request-Id;
        return (deliver);
    }
}

sub vcl_deliver {
    if (req.backend_hint == soku) {
        # A response with a key id or request id comes from Soku.
        if (resp.status == 204 && resp.http.X-Soku-Key-Id) {
            # Removes fields of the client that could be taken for X-Soku-*, in any spelling.
            header.regsub(req, "(?i)^x[^a-z0-9]?soku[^:]*:", "X-Soku-Dropped:");
            unset req.http.X-Soku-Dropped;
            set req.http.X-Soku-Key-Id = resp.http.X-Soku-Key-Id;
            set req.http.X-Soku-Workspace-Id = resp.http.X-Soku-Workspace-Id;
            set req.http.X-Soku-Key-Name = resp.http.X-Soku-Key-Name;
            set req.http.X-Soku-Scopes = resp.http.X-Soku-Scopes;
            set req.http.X-Soku-Environment = resp.http.X-Soku-Environment;
            set req.http.X-Soku-External-Id = resp.http.X-Soku-External-Id;
            if (resp.http.RateLimit) {
                set req.http.X-Soku-Limit-Current = resp.http.RateLimit;
                set req.http.X-Soku-Limit-Policy = resp.http.RateLimit-Policy;
                set req.http.X-Soku-Limit-Quota = resp.http.X-RateLimit-Limit;
                set req.http.X-Soku-Limit-Remaining = resp.http.X-RateLimit-Remaining;
                set req.http.X-Soku-Limit-Reset = resp.http.X-RateLimit-Reset;
            }
            return (restart);
        }
        if (resp.status < 400 || !resp.http.X-Request-Id) { return (synth(503)); }
        unset resp.http.X-Soku-Status;
        unset resp.http.X-Soku-Error;
    } elsif (req.http.X-Soku-Limit-Current) {
        # The remaining limit.
        set resp.http.RateLimit = req.http.X-Soku-Limit-Current;
        set resp.http.RateLimit-Policy = req.http.X-Soku-Limit-Policy;
        set resp.http.X-RateLimit-Limit = req.http.X-Soku-Limit-Quota;
        set resp.http.X-RateLimit-Remaining = req.http.X-Soku-Limit-Remaining;
        set resp.http.X-RateLimit-Reset = req.http.X-Soku-Limit-Reset;
    }
    unset resp.http.X-Varnish;
    unset resp.http.Via;
}

sub vcl_synth {
    if (resp.status == 503) {
        set resp.http.Content-Type = "application/json; charset=utf-8";
        set resp.http.Cache-Control = "no-store";
        set resp.http.Retry-After = "1";
        set resp.http.X-Request-Id = req.xid;
        synthetic({"{"error":{"type":"api_error","code":"verification_unavailable","message":"The key could not be checked, because Soku did not respond. Try again in a moment.","timestamp":""}
            + std.strftime(now, "%Y-%m-%dT%H:%M:%SZ") + {"","requestId":""} + req.xid + {"" }}"});
        return (deliver);
    }
}
