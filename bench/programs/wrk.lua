-- Asks for a random key of a file in each request. Every request is made before the count begins, so that one costs
-- this program a look into a table, and both contestants get the very same ones.
-- Arguments: get or post; the file of keys; the seed of the order; for post, a file with the key that asks.
local requests = {}
local count = 0

local function key_of(file)
  return io.lines(file)()
end

function init(arguments)
  local method, keys, seed, asking = arguments[1], arguments[2], arguments[3], arguments[4]
  math.randomseed(tonumber(seed))
  local asker = asking and key_of(asking)
  for key in io.lines(keys) do
    count = count + 1
    if method == 'get' then
      requests[count] = wrk.format('GET', nil, { Authorization = 'Bearer ' .. key, Host = wrk.headers.Host })
    else
      requests[count] = wrk.format('POST', nil, {
        Authorization = 'Bearer ' .. asker,
        Host = wrk.headers.Host,
        ['Content-Type'] = 'application/json',
      }, '{"apiKey":"' .. key .. '"}')
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
