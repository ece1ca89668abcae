-- Checks with Soku whether the key of a request is valid, before Apache forwards the request.

local socket = require 'socket'

local host, port = '127.0.0.1', 3000
-- Seconds for a response.
local patience = 2

local identity = {
  'x-soku-key-id', 'x-soku-workspace-id', 'x-soku-key-name', 'x-soku-scopes', 'x-soku-environment', 'x-soku-external-id',
}
local limits = { 'ratelimit', 'ratelimit-policy', 'x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset' }
local rejection = { 'cache-control', 'www-authenticate', 'retry-after', 'x-request-id', table.unpack(limits) }

-- Fields between the client and Apache, those that Soku does not need, and those that are set below. Soku gets the
-- others: it reports, for example, that the key came as X-API-Key.
local kept_back = {
  host = true, connection = true, ['keep-alive'] = true, te = true, trailer = true, upgrade = true, expect = true,
  ['content-length'] = true, ['transfer-encoding'] = true, ['proxy-authorization'] = true, cookie = true,
  ['x-original-uri'] = true, ['x-original-method'] = true, ['x-forwarded-for'] = true,
}

-- The thread's connection to Soku, open from one request to the next.
local connection

local function request_text(r)
  local lines = {
    'GET /v1/verify HTTP/1.1', 'Host: ' .. host,
    'X-Original-URI: ' .. r.unparsed_uri, 'X-Original-Method: ' .. r.method, 'X-Forwarded-For: ' .. r.useragent_ip,
  }
  for name, value in pairs(r:headers_in_table()) do
    if not kept_back[name:lower()] then lines[#lines + 1] = name .. ': ' .. value end
  end
  return table.concat(lines, '\r\n') .. '\r\n\r\n'
end

-- Returns nil if the body is incomplete.
local function receive_body(headers)
  if headers['transfer-encoding'] == nil then
    local length = tonumber(headers['content-length'] or 0)
    if length == 0 then return '' end
    return (connection:receive(length))
  end
  local chunks = {}
  repeat
    local size = tonumber(connection:receive('*l') or '', 16)
    local chunk = size and (size > 0 and connection:receive(size) or '')
    if not (chunk and connection:receive('*l')) then return nil end
    chunks[#chunks + 1] = chunk
  until size == 0
  return table.concat(chunks)
end

-- Sends the request and reads the response. Returns nil if none came, and whether a retry is safe: the connection
-- was an old one, and Soku closed it before it responded.
local function exchange(text)
  local old = connection ~= nil
  if not old then
    connection = socket.tcp()
    connection:settimeout(patience)
    if not connection:connect(host, port) then return nil, false end
  end
  connection:settimeout(patience, 't')
  if not connection:send(text) then return nil, old end
  local line, failure = connection:receive('*l')
  if line == nil then return nil, old and failure == 'closed' end
  local response = { status = tonumber(line:match('^HTTP/1%.1 (%d%d%d)')), headers = {} }
  for field in function() return connection:receive('*l') end do
    if field == '' then response.body = receive_body(response.headers) break end
    local name, value = field:match('^([^:]+):%s*(.-)%s*$')
    if name then response.headers[name:lower()] = value end
  end
  return response.status and response.body and response or nil, false
end

local function close()
  if connection then connection:close() end
  connection = nil
end

local function call_soku(r)
  local text = request_text(r)
  local response, retry = exchange(text)
  if retry then
    close()
    response = exchange(text)
  end
  if response == nil or response.headers.connection == 'close' then close() end
  return response
end

-- Sets the identity that the API can trust, and removes anything that the client sent under such a name.
local function identify(r, headers)
  for name in pairs(r:headers_in_table()) do
    if name:lower():find('soku', 1, true) then r.headers_in[name] = nil end
  end
  -- A client must not make Apache drop the identity on the way to your API (RFC 9110 section 7.6.1).
  if (r.headers_in['Connection'] or ''):lower():find('soku', 1, true) then r.headers_in['Connection'] = nil end
  for _, name in ipairs(identity) do r.headers_in[name] = headers[name] end
end

local function reject(r, response)
  r.status = response.status
  r.content_type = 'application/json; charset=utf-8'
  for _, name in ipairs(rejection) do
    if response.headers[name] then r.headers_out[name] = response.headers[name] end
  end
  r:write(response.body)
  return apache2.DONE
end

local function unavailable(r)
  local id = r.log_id or tostring(socket.gettime())
  return reject(r, {
    status = 503,
    headers = { ['cache-control'] = 'no-store', ['retry-after'] = '1', ['x-request-id'] = id },
    body = '{"error":{"type":"api_error","code":"verification_unavailable","message":"The key could not be checked, because Soku did not respond. Try again in a moment.","timestamp":"'
      .. os.date('!%Y-%m-%dT%H:%M:%SZ') .. '","requestId":"' .. id .. '"}}',
  })
end

function verify(r)
  if r.subprocess_env['soku_open'] then
    identify(r, {})
    return apache2.DECLINED
  end
  local response = call_soku(r)
  if response == nil then return unavailable(r) end
  -- A response with a request id comes from Soku.
  if response.status >= 400 and response.headers['x-request-id'] then return reject(r, response) end
  if response.status ~= 204 or not response.headers['x-soku-key-id'] then return unavailable(r) end
  identify(r, response.headers)
  r.subprocess_env['soku_key_id'] = response.headers['x-soku-key-id']
  for _, name in ipairs(limits) do
    r.subprocess_env['soku_' .. name:gsub('-', '_')] = response.headers[name]
  end
  return apache2.DECLINED
end
