(function (w, d, n) {
  var tag = d.currentScript, at = new URL(tag.src).origin, key = tag.dataset.key, need = tag.dataset.consent === "required",
    store = {}, seen = tag.dataset.page === "no", gpc = !!n.globalPrivacyControl, queue = [], early = (w.cdp && w.cdp.q) || [], wait = 1e3, timer, busy, user,
    uuid = function () { return w.crypto.randomUUID ? crypto.randomUUID() : ([1e7] + -1e3 + -4e3 + -8e3 + -1e11).replace(/[018]/g, function (c) { return (c ^ (crypto.getRandomValues(new Uint8Array(1))[0] & (15 >> (c / 4)))).toString(16); }); },
    cookie = function (name) { var m = d.cookie.match("(?:^|; )" + name + "=([^;]*)"); return m && decodeURIComponent(m[1]); },
    keep = function (name, value, days) { d.cookie = name + "=" + encodeURIComponent(value) + ";path=/;max-age=" + days * 86400 + ";SameSite=Lax" + (location.protocol === "https:" ? ";Secure" : ""); },
    said = JSON.parse(cookie("cdp_consent") || "null"),
    may = function () { return said ? said.analytics !== false && (!need || said.analytics) : !need; };

  function consent() {
    var all = {}, k;
    for (k in said) all[k] = said[k];
    if (gpc) all.advertising = all.datasharing = false;
    return said || gpc ? { categoryPreferences: said ? all : { analytics: !need, advertising: false, datasharing: false } } : undefined;
  }

  function call(type, fields) {
    if (!may() && fields.event !== CHANGE) return;
    var id = cookie("cdp_id") || uuid();
    if (may()) keep("cdp_id", id, 395);
    user = user || cookie("cdp_user");
    fields.type = type; fields.messageId = uuid(); fields.anonymousId = id; fields.timestamp = new Date().toISOString();
    if (user && !fields.userId) fields.userId = user;
    fields.context = {
      library: { name: "cdp snippet" }, userAgent: n.userAgent, locale: n.language, consent: consent(),
      page: { url: location.href, path: location.pathname, search: location.search, title: d.title, referrer: d.referrer },
      screen: { width: screen.width, height: screen.height }
    };
    queue.push(fields); save(); clearTimeout(timer); timer = setTimeout(send, 50);
  }

  var CHANGE = "Segment Consent Preference Updated";

  function save() { try { if (may()) store.cdp_queue = JSON.stringify(queue.slice(-100)); else delete store.cdp_queue; } catch (e) {} }

  function body(events) { return JSON.stringify({ batch: events, writeKey: key, sentAt: new Date().toISOString() }); }

  function send() {
    if (busy || !queue.length) return;
    var events = queue.slice(0, 20);
    busy = 1;
    fetch(at + "/v1/b", { method: "POST", body: body(events), headers: { "content-type": "text/plain" }, keepalive: true }).then(function (r) {
      var again = r.status > 499 || r.status === 429 || r.status === 408;
      if (again) throw r;
      queue.splice(0, events.length); save(); wait = 1e3; busy = 0; send();
    }).catch(function (r) {
      busy = 0;
      wait = r.headers && +r.headers.get("retry-after") * 1e3 || Math.min(wait * 2, 6e4);
      timer = setTimeout(send, wait);
    });
  }

  // What is sent here may be sent again on the next page: the message ids make it one.
  d.addEventListener("visibilitychange", function () {
    if (d.visibilityState === "hidden" && queue.length) n.sendBeacon(at + "/beacon/v1/batch?writeKey=" + key, body(queue.slice(0, 40)));
  });

  var cdp = w.cdp = {
    track: function (event, properties) { call("track", { event: event, properties: properties }); },
    page: function (name, properties) { seen = seen || may(); call("page", { name: name, properties: properties }); },
    identify: function (id, traits) { user = id; if (may()) keep("cdp_user", id, 395); call("identify", { userId: id, traits: traits }); },
    reset: function () { user = ""; keep("cdp_user", "", 0); keep("cdp_id", "", 0); },
    consent: function (choice) {
      said = choice; keep("cdp_consent", JSON.stringify(choice), 395);
      call("track", { event: CHANGE });
      if (!may()) cdp.reset(); else if (!seen) cdp.page();
    }
  };
  // asking for it throws where a browser keeps nothing for a site
  try { store = w.localStorage; queue = JSON.parse(store.cdp_queue || "[]"); } catch (e) {}
  early.forEach(function (c) { cdp[c[0]].apply(cdp, [].slice.call(c, 1)); });
  if (!seen) cdp.page();
})(window, document, navigator);
