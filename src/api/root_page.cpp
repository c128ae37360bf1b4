#include "api/root_page.h"

namespace posthorn::api {

namespace {

constexpr const char* kPage = R"(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Posthorn</title>
<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem}
code{background:#8882;padding:.1em .3em}</style></head><body>
<h1>Posthorn</h1>
<p>This box sends the till's messages over the shop's own WhatsApp. It is working: you are reading
its answer.</p>
<h2>Linking the shop's phone</h2>
<p>On the box, or on a computer that has <code>posthornctl</code>:</p>
<p><code>posthornctl pair</code> shows a QR code. On the phone: <i>Settings, Linked devices, Link a
device</i>. <code>posthornctl pair --code NUMBER</code> gives 8 characters to type instead.</p>
<h2>The id and the token</h2>
<p>A till needs this box's address, its <code>idInstance</code> and its
<code>apiTokenInstance</code>. They are not shown here, because everybody on this network can read
this page. Whoever holds the box finds them in <code>access.json</code> in the box's data folder:</p>
<p><code>sudo cat /var/lib/posthorn/access.json</code></p>
<p>On a box that was flashed from the image they also stand in <code>posthorn-result.txt</code> on
the card's first partition, which any computer can read.</p>
<p>The <code>careToken</code> beside them is the technician's: backup, restore, update, reset. Do not
put it into a till.</p>
<h2>Is it well?</h2>
<p><code>/healthz</code> says whether the box is alive; with the token, also what it does:
<code>posthornctl status</code>.</p>
</body></html>
)";

}  // namespace

Response root_page() {
  return Response{.body = kPage,
                  .content_type = "text/html; charset=utf-8",
                  .headers = {{"Content-Security-Policy",
                               "default-src 'none'; style-src 'unsafe-inline'; "
                               "frame-ancestors 'none'; base-uri 'none'"},
                              {"X-Content-Type-Options", "nosniff"},
                              {"Referrer-Policy", "no-referrer"}}};
}

}  // namespace posthorn::api
