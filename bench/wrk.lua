-- Rotates through prepared bodies and prints one JSON line. Arguments: folder with 1.json …, how many, bearer key.
local requests, position = {}, 0

function init(arguments)
  local headers = {
    ["Content-Type"] = "application/json", ["Accept"] = "application/json",
    ["Authorization"] = "Bearer " .. arguments[3], ["User-Agent"] = "bench",
  }
  for number = 1, tonumber(arguments[2]) do
    local file = assert(io.open(arguments[1] .. "/" .. number .. ".json", "rb"))
    requests[number] = wrk.format("POST", nil, headers, file:read("*a"))
    file:close()
  end
end

function request()
  position = position % #requests + 1
  return requests[position]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\nSUMMARY {"requests": %d, "seconds": %.6f, "not_2xx": %d, "socket_errors": %d, "p50_ms": %.3f, "p99_ms": %.3f}\n',
    summary.requests, summary.duration / 1e6, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
