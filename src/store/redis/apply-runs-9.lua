--[[
  Merges a batch of runs into one agent's plan: all of it or, where the client computed it from something that no
  longer holds, nothing. Then the reply tells the client what does hold, and it computes again. A client that lost
  against others takes a turn: for as long as that key stands, nobody else changes the plan's groups.

  Run record keys are made in the script from KEYS[3], because which ones are trimmed is known only here. They
  share the hash tag of the other keys.

  A plan may have megabytes. It is read whole only where its groups change or where its length or the run it names are
  not as we left them, as they would not be after any other runtime wrote it: each names a run of its own.

  KEYS
    [1] plan         [2] runs_index     [3] begin of the run record keys
    [4] meta         [5] evidence       [6] applied
    [7] applied_at   [8] run records of ours   [9] turn

  ARGV[1]: a list of texts in MessagePack, which the client writes and this reads much faster than arguments
    now (milliseconds)
    mode          none: no run contributes, nothing but the runs' own state must hold
                  merge: adds to counts; the plan's groups must be those the client knows
                  replace: sets counts; nothing at all may have been written since
                  claim: takes the turn and reads; the runs say which applied ones to read, the rest is not used
                  release: gives the turn back; only the arguments up to the turn are used
    turn          token of the client where it took or takes a turn, else empty
    turn length (milliseconds)
    epoch, revision, writes    that the client computed from; epoch is empty for an agent it knows nothing of
    plan sha1     of the plan it computed from, empty for none; `ours` for the one spanplan last wrote, whose run id
                  other writers of ours may have moved on since
    applied ttl (milliseconds)
    number of runs; each: id, revision the client takes it to have been applied at (0: not yet), what to
                    remember of it, its record (empty: keep none)
    -- mode claim ends here
    plan: keep, set or delete; its text; offset and length of the run id in it (bytes, JSON with quotes)
    new epoch     used where the agent has none yet
    new revision
    latest run: id, time, JSON; in mode merge the latest of this batch, else that of the agent
    compacted (0 or 1)
    channel, message    published where the revision changes
    most applied, run ttl (seconds), most run records
    number of evidence entries; each: cohort key, how (add: to the stored counts, move: the same with a new group,
                    put: as it is), runs (0: only the group changes), first seen, last seen, group
    number of evidence entries to delete; each: cohort key

  Returns
    {'ok', revision, epoch, writes} or
    {'busy'} where it is another client's turn, or
    {'stale', revision, epoch, writes, plan sha1 (or `ours`), latest run id, its time, compacted, plan or false,
     evidence (HGETALL), applied: those of the batch, or all where a run of the batch replaces one (HGETALL)}
]]
local PLAN, INDEX, RUN, META, EVIDENCE, APPLIED, APPLIED_AT, OURS, TURN = unpack(KEYS)

local arguments, position = cmsgpack.unpack(ARGV[1]), 0
local function take()
  position = position + 1
  return arguments[position]
end

-- Lua's stack bounds the arguments of a call.
local function call(command, key, list)
  if #list <= 1000 and #list > 0 then return redis.call(command, key, unpack(list)) end
  local replies = {}
  for from = 1, #list, 1000 do
    local reply = redis.call(command, key, unpack(list, from, math.min(from + 999, #list)))
    if type(reply) == 'table' then
      for _, value in ipairs(reply) do replies[#replies + 1] = value end
    end
  end
  return replies
end

-- Scores are microseconds, so that what comes in the same millisecond keeps its order.
local function score(millis)
  return millis * 1000
end

local function nextScore(key, now)
  local newest = redis.call('ZREVRANGE', key, 0, 0, 'WITHSCORES')[2]
  return math.max(now * 1000, newest and tonumber(newest) + 1 or 0)
end

-- Lua compares strings by the server's locale; run ids are to be compared by their bytes.
local function isGreater(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = a:byte(i), b:byte(i)
    if x ~= y then return x > y end
  end
  return #a > #b
end

local function replaced(text, offset, length, with)
  return text:sub(1, offset) .. with .. text:sub(offset + length + 1)
end

-- A script that fails half-way leaves what it wrote. So a key of another type, which someone else must have put there,
-- makes it fail here, before it writes.
redis.call('LLEN', INDEX)
redis.call('HGET', EVIDENCE, '')
redis.call('HGET', APPLIED, '')
redis.call('ZCARD', APPLIED_AT)
redis.call('ZCARD', OURS)
local planLength = redis.call('STRLEN', PLAN)

local now = tonumber(take())
local mode = take()
local turn, turnMillis = take(), take()
local expected = { epoch = take(), revision = take(), writes = take(), plan = take() }
local appliedTtl = tonumber(take())

local holder = redis.call('GET', TURN)
local isOurTurn = holder and holder == turn
if isOurTurn and mode ~= 'claim' and mode ~= 'merge' and mode ~= 'replace' then redis.call('DEL', TURN) end
if mode == 'release' then return { 'ok' } end
if mode == 'claim' then
  if holder and holder ~= turn then return { 'busy' } end
  redis.call('SET', TURN, turn, 'PX', turnMillis)
end

local meta = redis.call('HMGET', META, 'epoch', 'revision', 'writes', 'run_id', 'run_ended_at', 'run_json', 'compacted',
  'run_offset', 'run_length', 'plan_length', 'body_sha1', 'body_writes', 'sha1')
local epoch, revision, writes = meta[1] or '', meta[2] or '0', meta[3] or '0'
local latestId, latestAt, latestJson = meta[4] or '', meta[5] or '', meta[6] or ''
local offset, length = tonumber(meta[8] or 0), tonumber(meta[9] or 0)
-- Of the plan without its run id. The versions before this one kept the SHA-1 of the whole instead, and went on to
-- write `writes` without these fields.
local isBodyKnown = meta[12] and meta[12] == writes
local bodySha = isBodyKnown and meta[11] or ''

local plan
local function readPlan()
  if plan == nil then plan = redis.call('GET', PLAN) end
  return plan
end

local function planSha()
  return readPlan() and redis.sha1hex(plan) or ''
end

local function isPlanOurs()
  if not isBodyKnown then return planSha() == (meta[13] or '') end
  local found = readPlan() and redis.sha1hex(replaced(plan, offset, length, '')) or ''
  return found == bodySha
end

local expired = redis.call('ZRANGEBYSCORE', APPLIED_AT, '-inf', score(now - appliedTtl))
call('ZREM', APPLIED_AT, expired)
call('HDEL', APPLIED, expired)

-- One list for each thing that is told of a run: a table for each run would cost more than all else here.
local ids, assumed, remembered, records = {}, {}, {}, {}
local count = tonumber(take())
for i = 1, count do
  local at = position + 4 * i - 3
  ids[i], assumed[i], remembered[i], records[i] = unpack(arguments, at, at + 3)
end
position = position + 4 * count
local isStale = mode == 'claim'
local applied, replaces = {}, false
local befores = call('HMGET', APPLIED, ids)
for i = 1, count do
  local before = befores[i]
  if before then
    local revision = before:match('^%d+')
    if revision ~= assumed[i] then isStale = true end
    if tonumber(revision) < tonumber(remembered[i]:match('^%d+')) then replaces = true end
    applied[#applied + 1] = ids[i]
    applied[#applied + 1] = before
  elseif assumed[i] ~= '0' then
    isStale = true
  end
end

local change = {}
if mode ~= 'claim' then
  change = { plan = take(), text = take(), offset = tonumber(take()), length = tonumber(take()) }
  if change.plan ~= 'keep' and holder and holder ~= turn then return { 'busy' } end
end
-- Nothing but the run id is going to change in a plan that is as we left it.
local isPlanLeft = change.plan == 'keep' and expected.plan == 'ours' and isBodyKnown and length > 0
  and meta[10] == tostring(planLength) and redis.call('GETRANGE', PLAN, offset, offset + length - 1) == latestJson
if mode == 'merge' or mode == 'replace' then
  isStale = isStale or epoch ~= expected.epoch or revision ~= expected.revision
    or (mode == 'replace' and writes ~= expected.writes)
  if not isStale and not isPlanLeft then
    if expected.plan == 'ours' then isStale = not isPlanOurs() else isStale = planSha() ~= expected.plan end
  end
end
if isStale then
  if replaces then applied = redis.call('HGETALL', APPLIED) end
  return { 'stale', revision, epoch, writes, isPlanOurs() and 'ours' or planSha(), latestId, latestAt, meta[7] or '0',
    readPlan(), redis.call('HGETALL', EVIDENCE), applied }
end

local newEpoch, newRevision = take(), take()
local candidate = { id = take(), at = take(), json = take() }
local compacted, channel, message = take(), take(), take()
local maxApplied, runTtl, maxRuns = tonumber(take()), take(), tonumber(take())

local isLater = candidate.at > latestAt or (candidate.at == latestAt and isGreater(candidate.id, latestId))
if mode == 'replace' or (candidate.id ~= '' and isLater) then
  latestId, latestAt, latestJson = candidate.id, candidate.at, candidate.json
end

-- Comes first: a server that refuses it has written nothing yet.
local function writePlan()
  if isPlanLeft and #latestJson == length then
    if latestJson ~= meta[6] then redis.call('SETRANGE', PLAN, offset, latestJson) end
    return
  end
  local before = readPlan()
  if change.plan == 'set' then
    plan, offset, length = change.text, change.offset, change.length
  elseif change.plan == 'delete' then
    plan = false
  end
  if plan and latestJson ~= '' and length > 0 then
    plan = replaced(plan, offset, length, latestJson)
    length = #latestJson
  end
  if not plan then
    redis.call('DEL', PLAN)
  elseif plan ~= before then
    redis.call('SET', PLAN, plan)
  end
  planLength = plan and #plan or 0
  if change.plan ~= 'keep' or not isBodyKnown then
    bodySha = plan and redis.sha1hex(replaced(plan, offset, length, '')) or ''
  end
end
if mode ~= 'none' then writePlan() end

local runScore = nextScore(OURS, now)
local scores, added, places = call('ZMSCORE', OURS, ids), {}, {}
for i = 1, count do
  local id = ids[i]
  if records[i] ~= '' then
    redis.call('SET', RUN .. id, records[i], 'EX', runTtl)
    if not scores[i] then
      added[#added + 1] = id
      places[#places + 1] = runScore + i
      places[#places + 1] = id
    end
  elseif scores[i] then
    redis.call('ZREM', OURS, id)
    redis.call('DEL', RUN .. id)
    redis.call('LREM', INDEX, 1, id)
  end
end
call('ZADD', OURS, places)
call('RPUSH', INDEX, added)

local function trim(ids)
  call('ZREM', OURS, ids)
  for _, id in ipairs(ids) do
    redis.call('DEL', RUN .. id)
    redis.call('LREM', INDEX, 1, id)
  end
end
trim(redis.call('ZRANGEBYSCORE', OURS, '-inf', score(now - runTtl * 1000)))
local excess = redis.call('ZCARD', OURS) - maxRuns
if excess > 0 then trim(redis.call('ZRANGE', OURS, 0, excess - 1)) end
redis.call('EXPIRE', OURS, runTtl)
-- Nobody else's ids stand in the index: then it may go when the last record has gone.
if redis.call('LLEN', INDEX) == redis.call('ZCARD', OURS) then
  redis.call('EXPIRE', INDEX, runTtl)
else
  redis.call('PERSIST', INDEX)
end

-- Comes last: a run is remembered as applied only once all that it contributes is written.
local function remember()
  local appliedScore = nextScore(APPLIED_AT, now)
  local texts, times = {}, {}
  for i = 1, count do
    texts[2 * i - 1], texts[2 * i] = ids[i], remembered[i]
    times[2 * i - 1], times[2 * i] = appliedScore + i, ids[i]
  end
  call('HSET', APPLIED, texts)
  call('ZADD', APPLIED_AT, times)
  local surplus = redis.call('ZCARD', APPLIED_AT) - maxApplied
  if surplus > 0 then
    local oldest = redis.call('ZRANGE', APPLIED_AT, 0, surplus - 1)
    call('ZREM', APPLIED_AT, oldest)
    call('HDEL', APPLIED, oldest)
  end
  redis.call('PEXPIRE', APPLIED, appliedTtl)
  redis.call('PEXPIRE', APPLIED_AT, appliedTtl)
end

if mode == 'none' then
  remember()
  return { 'ok', revision, epoch, writes }
end

local function merged(known, entry)
  local count, first, last, group = entry.runs, entry.first, entry.last, entry.group
  local knownRuns, knownFirst, knownLast, knownGroup
  if known and entry.how ~= 'put' then
    knownRuns, knownFirst, knownLast, knownGroup = known:match('^(%d+) (%d+) (%d+) (.*)$')
  end
  if knownRuns then
    count = string.format('%.0f', tonumber(count) + tonumber(knownRuns))
    if knownFirst < first then first = knownFirst end
    if knownLast > last then last = knownLast end
    if entry.how == 'add' then group = knownGroup end
  elseif count == '0' then
    return nil
  end
  return table.concat({ count, first, last, group }, ' ')
end

local entries, keys, texts = {}, {}, {}
for i = 1, tonumber(take()) do
  keys[i] = take()
  entries[i] = { how = take(), runs = take(), first = take(), last = take(), group = take() }
end
for i, known in ipairs(call('HMGET', EVIDENCE, keys)) do
  local text = merged(known, entries[i])
  if text then
    texts[#texts + 1] = keys[i]
    texts[#texts + 1] = text
  end
end
call('HSET', EVIDENCE, texts)
local gone = {}
for i = 1, tonumber(take()) do gone[i] = take() end
call('HDEL', EVIDENCE, gone)

if isOurTurn then redis.call('DEL', TURN) end

if epoch == '' then epoch = newEpoch end
writes = string.format('%.0f', tonumber(writes) + 1)
redis.call('HSET', META, 'epoch', epoch, 'revision', newRevision, 'writes', writes,
  'run_id', latestId, 'run_ended_at', latestAt, 'run_json', latestJson, 'compacted', compacted,
  'run_offset', offset, 'run_length', length, 'plan_length', planLength, 'body_sha1', bodySha, 'body_writes', writes,
  'sha1', '')
for _, key in ipairs({ META, EVIDENCE }) do
  if planLength > 0 then redis.call('PERSIST', key) else redis.call('PEXPIRE', key, appliedTtl) end
end
remember()
if newRevision ~= revision then redis.call('PUBLISH', channel, message) end
return { 'ok', newRevision, epoch, writes }
