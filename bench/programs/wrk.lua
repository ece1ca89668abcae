-- Sends a random key of a file in each request. All requests are built before the count starts, so that each costs this
-- program one table lookup, and all programs get the same requests.
-- Arguments: get, post, or batch for 100 keys per request; the file of keys; the seed of the order; except for get, a
-- file with the caller's own key.
local requests = {}
local count = 0

local function key_of(file)
  return io.lines(file)()
end

function init(arguments)
  local method, keys, seed, caller_file = arguments[1], arguments[2], arguments[3], arguments[4]
  math.randomseed(tonumber(seed))
  local caller = caller_file and key_of(caller_file)
  local function add(...)
    count = count + 1
    requests[count] = wrk.format(...)
  end
  local function post(body)
    add('POST', nil, {
      Authorization = 'Bearer ' .. caller,
      Host = wrk.headers.Host,
      ['Content-Type'] = 'application/json',
    }, body)
  end
  local batch = {}
  for key in io.lines(keys) do
    if method == 'get' then
      add('GET', nil, { Authorization = 'Bearer ' .. key, Host = wrk.headers.Host })
    elseif method == 'post' then
      post('{"apiKey":"' .. key .. '"}')
    else
      batch[#batch + 1] = key
      if #batch == 100 then
        post('{"apiKeys":["' .. table.concat(batch, '","') .. '"]}')
        batch = {}
      end
    end
  end
end

function request()
  return requests[math.random(count)]
end

-- Times in microseconds.
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"duration":%d,"refused":%d,"broken":%d,"p50":%d,"p99":%d}\n',
    summary.requests, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
