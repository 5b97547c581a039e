-- One step of the shared ledger, run whole or not at all by the store itself. The rules are those of `limits.py`; here are their
-- places in the store, which all begin with KEYS[1] = {deployment}:ledger, so that a cluster keeps them on one node:
--
--   {d}:ledger             hash   id: which ledger this is; abandoned, abandoned_cost: totals that only grow
--   {d}:ledger:scopes      hash   scope -> account, ten doubles (integers below 2^53 are exact): see `read`
--   {d}:ledger:holds       hash   call -> reservation
--   {d}:ledger:leases      zset   calls in flight by the end of their lease, microseconds
--   {d}:ledger:abandoned   zset   calls whose lease ran out, by when that was noticed
--
--   {d}:ledger:task:…      string what ends by itself (task:…, token:…): its account, thirteen doubles; gone an hour after its end
--
-- A bucket of tokens keeps `tail`, the tokens that ever joined it, where `limits` keeps what ever drained: that is tail less queue.
-- ARGV: operation, now (microseconds; -1: the store's own clock), the ledger's id, then what the operation takes.

local MINUTE, HOUR, DAY, DEEPEST, RICHEST = 60000000, 3600000000, 86400000000, 2^60, 2^53
local MOST_SWEPT = 200
local call, floor, min, max = redis.call, math.floor, math.min, math.max
local root, op, now, id = KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[4]
local SCOPES, HOLDS, LEASES, ABANDONED = root .. ':scopes', root .. ':holds', root .. ':leases', root .. ':abandoned'

-- A store that came back without its memory must not be taken for one where nothing was ever spent.
if call('HGET', root, 'id') ~= ARGV[3] then
  return {-1}
end
if now < 0 then
  local time = call('TIME')
  now = time[1] * 1000000 + time[2]
end
local today = floor(now / DAY)

local function text(number)
  return string.format('%.0f', number)
end

local function week(day)
  return floor((day + 3) / 7)
end

local function month(day)
  local z = day + 719468
  local era = floor(z / 146097)
  local doe = z - era * 146097
  local yoe = floor((doe - floor(doe / 1460) + floor(doe / 36524) - floor(doe / 146096)) / 365)
  local mp = floor((5 * (doe - (365 * yoe + floor(yoe / 4) - floor(yoe / 100))) + 2) / 153)
  local year = yoe + era * 400
  if mp >= 10 then
    return (year + 1) * 12 + mp - 9
  end
  return year * 12 + mp + 3
end

local function read(blob)
  if not blob then
    return {last = now, requests = 0, queued = 0, tail = 0, inflight = 0, held = 0, day = today, daily = 0, weekly = 0, monthly = 0}
  end
  local a = {}
  a.last, a.requests, a.queued, a.tail, a.inflight, a.held, a.day, a.daily, a.weekly, a.monthly = struct.unpack('<dddddddddd', blob)
  if #blob > 80 then a.steps, a.ever, a['until'] = struct.unpack('<ddd', blob, 81) end
  return a
end

-- Whether a scope ends by itself. It then has a key of its own, which the store forgets.
local function ends(name)
  return name:sub(1, 5) == 'task:' or name:sub(1, 6) == 'token:'
end

local function packed(a)
  local blob = struct.pack('<dddddddddd', a.last, a.requests, a.queued, a.tail, a.inflight, a.held, a.day, a.daily, a.weekly, a.monthly)
  return a['until'] and blob .. struct.pack('<ddd', a.steps, a.ever, a['until']) or blob
end

-- Writes accounts: a list of names, each with its account.
local function save(list)
  local written = {}
  for at = 1, #list, 2 do
    local name, a = list[at], list[at + 1]
    if ends(name) then
      call('SET', root .. ':' .. name, packed(a), 'PX', text(floor((max((a['until'] or 0) - now, 0) + HOUR) / 1000)))
    else
      written[#written + 1], written[#written + 2] = name, packed(a)
    end
  end
  if #written > 0 then call('HSET', SCOPES, unpack(written)) end
end

-- The accounts of every `step`-th scope of a list, from `first` on, as they stand; none for an empty list.
local function load(list, first, step)
  local names = {}
  for at = first, #list, step do names[#names + 1] = list[at] end
  local blobs = #names > 0 and call('HMGET', SCOPES, unpack(names)) or {}
  for place, name in ipairs(names) do
    if ends(name) then blobs[place] = call('GET', root .. ':' .. name) end
  end
  return names, blobs
end

local function roll(a)
  if today > a.day then
    a.daily = 0
    if week(today) ~= week(a.day) then a.weekly = 0 end
    if month(today) ~= month(a.day) then a.monthly = 0 end
    a.day = today
  elseif today < a.day - 1 then
    a.day = today
  end
end

local function advance(a, rpm, tpm)
  local elapsed = max(now - a.last, 0)
  if now > a.last or a.last - now > MINUTE then a.last = now end
  if rpm < 0 then a.requests = 0 else a.requests = max(a.requests - elapsed * rpm, 0) end
  if tpm < 0 then a.queued = 0 else a.queued = a.queued - min(a.queued, elapsed * tpm) end
  roll(a)
end

local function join(a, tokens)
  a.queued = min(a.queued + tokens * MINUTE, DEEPEST)
  a.tail = a.tail + tokens
end

local function spend(a, cost)
  a.daily, a.weekly, a.monthly = min(a.daily + cost, RICHEST), min(a.weekly + cost, RICHEST), min(a.monthly + cost, RICHEST)
  if a['until'] then a.ever = min(a.ever + cost, RICHEST) end
end

-- A reservation: tokens, cost, when it was abandoned (-1: in flight), owner, and of each scope its id, `end`, rpm and tpm.
local function hold_of(id)
  local blob = call('HGET', HOLDS, id)
  return blob and cmsgpack.unpack(blob)
end

local function sweep()
  for _, due in ipairs(call('ZRANGE', LEASES, '-inf', text(now), 'BYSCORE', 'LIMIT', 0, MOST_SWEPT)) do
    local hold = hold_of(due)
    local names, blobs = load(hold, 5, 4)
    for place, name in ipairs(names) do
      if blobs[place] or not ends(name) then
        local a = read(blobs[place])
        roll(a)
        if a['until'] then a['until'] = max(a['until'], now + DAY) end
        a.inflight, a.held = a.inflight - 1, a.held - hold[2]
        spend(a, hold[2])
        save({name, a})
      end
    end
    hold[3] = now
    call('HSET', HOLDS, due, cmsgpack.pack(hold))
    call('ZREM', LEASES, due)
    call('ZADD', ABANDONED, text(now), due)
    call('HINCRBY', root, 'abandoned', 1)
    call('HINCRBY', root, 'abandoned_cost', text(hold[2]))
  end
end

-- ARGV from 4: call, lease (microseconds), owner, tokens, cost, and of each scope its id, rpm, tpm, concurrency, budget, period; what
-- ends by itself has its steps and how long it lasts (microseconds) in the place of rpm and tpm.
-- Answers {1, end of lease, tightest scope of requests, its drops, the same of tokens}; {0, now, every scope's account} when there
-- is no room; {2} when this call has a reservation.
local function reserve()
  sweep()
  local lease, tokens, cost = now + tonumber(ARGV[5]), tonumber(ARGV[7]), tonumber(ARGV[8])
  local names, blobs = load(ARGV, 9, 6)
  local hold, accounts, fits = {tokens, cost, -1, ARGV[6]}, {}, true
  local scope_requests, drops_requests, scope_tokens, drops_tokens = 0, 0, 0, 0
  local least_requests, least_tokens = math.huge, math.huge
  for place, name in ipairs(names) do
    local at = 3 + 6 * place
    local rpm, tpm, most, budget = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])
    local a = read(blobs[place])
    local steps, lasts = rpm, tpm
    if ends(name) then
      rpm, tpm = -1, -1
      if not a['until'] or (a['until'] <= now and a.inflight <= 0) then
        a = read(false)
        a.steps, a.ever, a['until'] = 0, 0, 0
      end
      if steps >= 0 and a.steps >= steps then fits = false end
    end
    accounts[place] = a
    advance(a, rpm, tpm)
    if (rpm >= 0 and a.requests + MINUTE > rpm * MINUTE) or tpm == 0 or (tpm > 0 and a.queued + tokens * MINUTE > tpm * MINUTE)
      or (most >= 0 and a.inflight >= most) or (budget == 0 and not ends(name)) or (budget >= 0 and a[ARGV[at + 5]] + a.held + cost > budget) then
      fits = false
    end
    if fits then
      if rpm >= 0 then
        a.requests = min(a.requests + MINUTE, DEEPEST)
        if rpm * MINUTE - a.requests < least_requests then
          least_requests, scope_requests, drops_requests = rpm * MINUTE - a.requests, place, a.requests
        end
      end
      if tpm >= 0 then
        join(a, tokens)
        if tpm * MINUTE - a.queued < least_tokens then
          least_tokens, scope_tokens, drops_tokens = tpm * MINUTE - a.queued, place, a.queued
        end
      end
      a.inflight, a.held = a.inflight + 1, a.held + cost
      if ends(name) then a.steps, a['until'] = a.steps + 1, max(a['until'], now + lasts) end
      local size = #hold
      hold[size + 1], hold[size + 2], hold[size + 3], hold[size + 4] = name, a.tail, rpm, tpm
    end
  end
  local written = {}
  if fits then
    if call('HSETNX', HOLDS, id, cmsgpack.pack(hold)) == 0 then
      return {2}
    end
    call('ZADD', LEASES, text(lease), id)
    for place, a in ipairs(accounts) do
      written[2 * place - 1], written[2 * place] = names[place], a
    end
  else -- the accounts as they were, at the present: some had been entered before another had no room
    for place, a in ipairs(accounts) do
      a = read(blobs[place])
      local own = ends(names[place])
      advance(a, own and -1 or tonumber(ARGV[4 + 6 * place]), own and -1 or tonumber(ARGV[5 + 6 * place]))
      accounts[place] = packed(a)
      if not blobs[place] and not own then
        written[#written + 1], written[#written + 2] = names[place], a
      end
    end
  end
  save(written)
  if not fits then return {0, text(now), unpack(accounts)} end
  return {1, lease, scope_requests, drops_requests, scope_tokens, drops_tokens}
end

-- ARGV from 4: call, tokens, cost, and 1 when only concurrency and money change (limits are not known any more). Answers 1, or 0
-- when there is no such reservation: it was settled before, or forgotten a day after its lease ran out.
local function settle()
  local hold = hold_of(id)
  if not hold or (hold[3] >= 0 and hold[3] + DAY <= now) then return 0 end
  local tokens, cost, blind = tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7] == '1'
  local names, blobs = load(hold, 5, 4)
  local written = {}
  for place, name in ipairs(names) do
    local at = 1 + 4 * place
    local ending, rpm, tpm = hold[at + 1], hold[at + 2], hold[at + 3]
    local a = read(blobs[place])
    if blind then
      tpm = -1
      roll(a)
    else
      advance(a, rpm, tpm)
    end
    if hold[3] < 0 then
      a.inflight, a.held = a.inflight - 1, a.held - hold[2]
      spend(a, cost)
      local unused = (hold[1] - tokens) * MINUTE
      if tpm >= 0 and unused < 0 then
        join(a, tokens - hold[1])
      elseif tpm >= 0 then -- only what has not drained yet: `limits.settle` says why
        a.queued = a.queued - max(min(unused, a.queued - (a.tail - ending) * MINUTE, a.queued), 0)
      end
    else
      local change, day = cost - hold[2], floor(hold[3] / DAY)
      if change >= 0 then
        spend(a, change)
      else
        if day == a.day then a.daily = max(a.daily + change, 0) end
        if week(day) == week(a.day) then a.weekly = max(a.weekly + change, 0) end
        if month(day) == month(a.day) then a.monthly = max(a.monthly + change, 0) end
      end
      if tpm >= 0 and tokens > hold[1] then join(a, tokens - hold[1]) end
    end
    if blobs[place] or not ends(name) then
      written[#written + 1], written[#written + 2] = name, a
    end
  end
  save(written)
  call('HDEL', HOLDS, id)
  call('ZREM', hold[3] < 0 and LEASES or ABANDONED, id)
  return 1
end

-- ARGV from 4: call, cost, and of each scope, in the order of the reservation, its budget and period. Answers 0; the number of the
-- first scope that has no room for more; -2 when the call is not in flight.
local function add()
  local hold, more = hold_of(id), tonumber(ARGV[5])
  if not hold or hold[3] >= 0 then return {-2} end
  local names, blobs = load(hold, 5, 4)
  local written = {}
  for place, name in ipairs(names) do
    local a, budget = read(blobs[place]), tonumber(ARGV[4 + 2 * place])
    advance(a, hold[3 + 4 * place], hold[4 + 4 * place])
    if budget >= 0 and a[ARGV[5 + 2 * place]] + a.held + more > budget then return {place} end
    a.held = a.held + more
    written[2 * place - 1], written[2 * place] = name, a
  end
  hold[2] = hold[2] + more
  save(written)
  call('HSET', HOLDS, id, cmsgpack.pack(hold))
  return {0}
end

-- ARGV from 4: call, lease. Answers whether the call is still in flight.
local function extend()
  if not call('ZSCORE', LEASES, id) then return 0 end
  call('ZADD', LEASES, 'GT', text(now + tonumber(ARGV[5])), id)
  return 1
end

-- ARGV from 4: id of a scope. Answers now and its account as it was left.
local function account()
  return {text(now), packed(read(ends(id) and call('GET', root .. ':' .. id) or call('HGET', SCOPES, id)))}
end

if op == 'reserve' then return reserve() end
if op == 'settle' then return settle() end
if op == 'add' then return add() end
if op == 'extend' then return extend() end
if op == 'account' then return account() end
sweep()
for _, old in ipairs(call('ZRANGE', ABANDONED, '-inf', text(now - DAY), 'BYSCORE', 'LIMIT', 0, MOST_SWEPT)) do
  call('HDEL', HOLDS, old)
  call('ZREM', ABANDONED, old)
end
return 1
