--[[
  Merges a batch of runs into one agent's plan: all of it or, where the client computed it from something that no
  longer holds, nothing. Then the reply tells the client what does hold, and it computes again. A client that lost
  against others takes a turn: for as long as that key stands, nobody else changes the plan's groups.

  Run record keys are made in the script from KEYS[3], because which ones are trimmed is known only here. They
  share the hash tag of the other keys.

  KEYS
    [1] plan         [2] runs_index     [3] begin of the run record keys
    [4] meta         [5] evidence       [6] applied
    [7] applied_at   [8] run records of ours   [9] turn

  ARGV
    now (milliseconds)
    mode          none: no run contributes, nothing but the runs' own state must hold
                  merge: adds to counts; the plan's groups must be those the client knows
                  replace: sets counts; nothing at all may have been written since
                  claim: takes the turn and reads; the runs say which applied ones to read, the rest is not used
                  release: gives the turn back; only the arguments up to the turn are used
    turn          token of the client where it took or takes a turn, else empty
    turn length (milliseconds)
    epoch, revision, writes    that the client computed from; epoch is empty for an agent it knows nothing of
    sha1          of the plan it computed from, empty for none; `ours` for the one spanplan last wrote, whose run id
                  other writers may have moved on since
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
    {'stale', revision, epoch, writes, sha1 of the plan, that of the plan as last written, latest run id, its time,
     compacted, plan or false, evidence (HGETALL),
     applied: those of the batch, or all where a run of the batch replaces one (HGETALL)}
]]
local PLAN, INDEX, RUN, META, EVIDENCE, APPLIED, APPLIED_AT, OURS, TURN = unpack(KEYS)

local position = 0
local function take()
  position = position + 1
  return ARGV[position]
end

-- Scores are microseconds, so that what comes in the same millisecond keeps its order.
local function score(millis)
  return string.format('%.0f', millis * 1000)
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

-- A script that fails half-way leaves what it wrote. So a key of another type, which someone else must have put there,
-- makes it fail here, before it writes.
redis.call('LLEN', INDEX)
redis.call('HGET', EVIDENCE, '')
redis.call('HGET', APPLIED, '')
redis.call('ZCARD', APPLIED_AT)
redis.call('ZCARD', OURS)

local now = tonumber(take())
local mode = take()
local turn, turnMillis = take(), take()
local expected = { epoch = take(), revision = take(), writes = take(), sha = take() }
local appliedTtl = tonumber(take())

local holder = redis.call('GET', TURN)
local isOurTurn = holder and holder == turn
if isOurTurn and mode ~= 'claim' and mode ~= 'merge' and mode ~= 'replace' then redis.call('DEL', TURN) end
if mode == 'release' then return { 'ok' } end
if mode == 'claim' then
  if holder and holder ~= turn then return { 'busy' } end
  redis.call('SET', TURN, turn, 'PX', turnMillis)
end

local plan = redis.call('GET', PLAN)
local meta = redis.call('HMGET', META, 'epoch', 'revision', 'writes', 'sha1', 'run_id', 'run_ended_at', 'run_json',
  'compacted', 'run_offset', 'run_length')
local epoch, revision, writes = meta[1] or '', meta[2] or '0', meta[3] or '0'
local ourSha, latestId, latestAt, latestJson = meta[4] or '', meta[5] or '', meta[6] or '', meta[7] or ''
local sha = plan and redis.sha1hex(plan) or ''

for _, id in ipairs(redis.call('ZRANGEBYSCORE', APPLIED_AT, '-inf', score(now - appliedTtl))) do
  redis.call('ZREM', APPLIED_AT, id)
  redis.call('HDEL', APPLIED, id)
end

local isStale = mode == 'claim'
if mode == 'merge' or mode == 'replace' then
  isStale = epoch ~= expected.epoch or revision ~= expected.revision
  if expected.sha == 'ours' then
    isStale = isStale or sha ~= ourSha
  else
    isStale = isStale or sha ~= expected.sha
  end
  if mode == 'replace' then isStale = isStale or writes ~= expected.writes end
end

local runs, applied, replaces = {}, {}, false
for i = 1, tonumber(take()) do
  local run = { id = take(), assumed = take(), remembered = take(), record = take() }
  local before = redis.call('HGET', APPLIED, run.id)
  local beforeRevision = before and before:match('^%d+') or '0'
  if beforeRevision ~= run.assumed then isStale = true end
  if before then
    applied[#applied + 1] = run.id
    applied[#applied + 1] = before
    if tonumber(beforeRevision) < tonumber(run.remembered:match('^%d+')) then replaces = true end
  end
  runs[i] = run
end

local change = {}
if mode ~= 'claim' then
  change = { plan = take(), text = take(), offset = tonumber(take()), length = tonumber(take()) }
  if change.plan ~= 'keep' and holder and holder ~= turn then return { 'busy' } end
end
if isStale then
  if replaces then applied = redis.call('HGETALL', APPLIED) end
  return { 'stale', revision, epoch, writes, sha, ourSha, latestId, latestAt, meta[8] or '0', plan,
    redis.call('HGETALL', EVIDENCE), applied }
end

local newEpoch, newRevision = take(), take()
local candidate = { id = take(), at = take(), json = take() }
local compacted, channel, message = take(), take(), take()
local maxApplied, runTtl, maxRuns = tonumber(take()), take(), tonumber(take())

local runScore = nextScore(OURS, now)
for i, run in ipairs(runs) do
  if run.record ~= '' then
    redis.call('SET', RUN .. run.id, run.record, 'EX', runTtl)
    if not redis.call('ZSCORE', OURS, run.id) then
      redis.call('ZADD', OURS, string.format('%.0f', runScore + i), run.id)
      redis.call('RPUSH', INDEX, run.id)
    end
  elseif redis.call('ZREM', OURS, run.id) == 1 then
    redis.call('DEL', RUN .. run.id)
    redis.call('LREM', INDEX, 1, run.id)
  end
end

local function trim(ids)
  for _, id in ipairs(ids) do
    redis.call('ZREM', OURS, id)
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
  for i, run in ipairs(runs) do
    redis.call('HSET', APPLIED, run.id, run.remembered)
    redis.call('ZADD', APPLIED_AT, string.format('%.0f', appliedScore + i), run.id)
  end
  local surplus = redis.call('ZCARD', APPLIED_AT) - maxApplied
  if surplus > 0 then
    for _, id in ipairs(redis.call('ZRANGE', APPLIED_AT, 0, surplus - 1)) do
      redis.call('ZREM', APPLIED_AT, id)
      redis.call('HDEL', APPLIED, id)
    end
  end
  redis.call('PEXPIRE', APPLIED, appliedTtl)
  redis.call('PEXPIRE', APPLIED_AT, appliedTtl)
end

if mode == 'none' then
  remember()
  return { 'ok', revision, epoch, writes }
end

local function merged(key, how, count, first, last, group)
  local known = how ~= 'put' and redis.call('HGET', EVIDENCE, key)
  local runs, knownFirst, knownLast, knownGroup
  if known then runs, knownFirst, knownLast, knownGroup = known:match('^(%d+) (%d+) (%d+) (.*)$') end
  if runs then
    count = string.format('%.0f', tonumber(count) + tonumber(runs))
    if knownFirst < first then first = knownFirst end
    if knownLast > last then last = knownLast end
    if how == 'add' then group = knownGroup end
  elseif count == '0' then
    return nil
  end
  return table.concat({ count, first, last, group }, ' ')
end

for _ = 1, tonumber(take()) do
  local key = take()
  local value = merged(key, take(), take(), take(), take(), take())
  if value then redis.call('HSET', EVIDENCE, key, value) end
end
for _ = 1, tonumber(take()) do
  redis.call('HDEL', EVIDENCE, take())
end

local isLater = candidate.at > latestAt or (candidate.at == latestAt and isGreater(candidate.id, latestId))
if mode == 'replace' or (candidate.id ~= '' and isLater) then
  latestId, latestAt, latestJson = candidate.id, candidate.at, candidate.json
end

local offset, length = tonumber(meta[9] or 0), tonumber(meta[10] or 0)
local before = plan
if change.plan == 'set' then
  plan, offset, length = change.text, change.offset, change.length
elseif change.plan == 'delete' then
  plan = false
end
if plan and latestJson ~= '' and length > 0 then
  plan = plan:sub(1, offset) .. latestJson .. plan:sub(offset + length + 1)
  length = #latestJson
end
if not plan then
  redis.call('DEL', PLAN)
elseif plan ~= before then
  redis.call('SET', PLAN, plan)
end

if isOurTurn then redis.call('DEL', TURN) end

if epoch == '' then epoch = newEpoch end
writes = string.format('%.0f', tonumber(writes) + 1)
redis.call('HSET', META, 'epoch', epoch, 'revision', newRevision, 'writes', writes,
  'sha1', plan and redis.sha1hex(plan) or '', 'run_id', latestId, 'run_ended_at', latestAt, 'run_json', latestJson,
  'compacted', compacted, 'run_offset', offset, 'run_length', length)
for _, key in ipairs({ META, EVIDENCE }) do
  if plan then redis.call('PERSIST', key) else redis.call('PEXPIRE', key, appliedTtl) end
end
remember()
if newRevision ~= revision then redis.call('PUBLISH', channel, message) end
return { 'ok', newRevision, epoch, writes }
