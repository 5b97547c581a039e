-- Rotates through prepared bodies, stamps each so that none comes twice, and prints one JSON line.
-- Arguments: folder with 1.json …, how many, bearer key, the stamp, a number to begin with.
local heads, tails, position, number = {}, {}, 0, 0
local letters = {}

function init(arguments)
  local headers = {
    ["Content-Type"] = "application/json", ["Accept"] = "application/json",
    ["Authorization"] = "Bearer " .. arguments[3], ["User-Agent"] = "bench",
  }
  number = tonumber(arguments[5])
  for digit = 0, 9 do
    letters[tostring(digit)] = string.char(97 + digit)
  end
  for body = 1, tonumber(arguments[2]) do
    local file = assert(io.open(arguments[1] .. "/" .. body .. ".json", "rb"))
    local whole = wrk.format("POST", nil, headers, file:read("*a"))
    file:close()
    local first, last = string.find(whole, arguments[4], 1, true)
    heads[body], tails[body] = string.sub(whole, 1, last - 8), string.sub(whole, last + 1)
  end
end

function request()
  position = position % #heads + 1
  number = number + 1
  return heads[position] .. string.gsub(string.format("%08d", number % 1e8), "%d", letters) .. tails[position]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\nSUMMARY {"requests": %d, "seconds": %.6f, "not_2xx": %d, "socket_errors": %d, "p50_ms": %.3f, "p99_ms": %.3f}\n',
    summary.requests, summary.duration / 1e6, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
