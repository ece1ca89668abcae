-- Asks Soku whether the key of a request is good, before HAProxy passes the request on.

local soku = 'http://127.0.0.1:3000/v1/verify'
-- Milliseconds for an answer. HAProxy 2.6 asks four times before it gives up.
local patience = 500

local identity = { 'x-soku-key-id', 'x-soku-workspace-id', 'x-soku-key-name', 'x-soku-scopes' }
local limits = { 'ratelimit', 'ratelimit-policy', 'x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset' }
local refusal = { 'content-type', 'cache-control', 'www-authenticate', 'retry-after', 'x-request-id', table.unpack(limits) }

-- Headers between the client and HAProxy, and those that are nothing to Soku. The others are asked about: Soku
-- tells, for example, who sent the key as X-API-Key.
local kept_back = {
  host = true, connection = true, ['keep-alive'] = true, te = true, trailer = true, upgrade = true, expect = true,
  ['content-length'] = true, ['transfer-encoding'] = true, cookie = true,
}

local function question(txn)
  local headers = {}
  for name, values in pairs(txn.http:req_get_headers()) do
    if not kept_back[name] then
      headers[name] = table.move(values, 0, #values, 1, {})
    end
  end
  headers['x-original-uri'] = { txn.f:pathq() }
  headers['x-original-method'] = { txn.f:method() }
  headers['x-forwarded-for'] = { txn.f:src() }
  return headers
end

-- What the API may believe: nothing of what the client sent under such a name, in whatever spelling.
local function identify(txn, answer)
  for name in pairs(txn.http:req_get_headers()) do
    if name:find('soku', 1, true) then txn.http:req_del_header(name) end
  end
  for _, name in ipairs(identity) do
    txn.http:req_set_header(name, answer.headers[name][0])
  end
end

local function refuse(txn, answer)
  local reply = txn:reply({ status = answer.status, reason = answer.reason, body = answer.body })
  for _, name in ipairs(refusal) do
    for _, value in pairs(answer.headers[name] or {}) do reply:add_header(name, value) end
  end
  txn:done(reply)
end

-- Leaves txn.soku_verified set for a good key only, so that whatever goes wrong here ends in the 503 of haproxy.cfg.
core.register_action('soku_verify', { 'http-req' }, function(txn)
  local answer = core.httpclient():get({ url = soku, headers = question(txn), timeout = patience })
  if answer.status == 204 and answer.headers['x-soku-key-id'] then
    identify(txn, answer)
    txn:set_priv(answer.headers)
    txn:set_var('txn.soku_verified', true)
  elseif answer.status >= 400 and answer.headers['x-request-id'] then
    -- With its request id it is Soku's own answer, and not one that HAProxy made because Soku was not there.
    refuse(txn, answer)
  end
end)

core.register_action('soku_limits', { 'http-res' }, function(txn)
  local headers = txn:get_priv() or {}
  for _, name in ipairs(limits) do
    if headers[name] then txn.http:res_set_header(name, headers[name][0]) end
  end
end)
