--[[
  Deletes all that is known of one agent, whoever wrote it.

  KEYS as in apply-runs-9.lua

  ARGV
    [1] channel
    [2] message

  Returns 1 where there was something, else 0.
]]
local PLAN, INDEX, RUN, META, EVIDENCE, APPLIED, APPLIED_AT, OURS, TURN = unpack(KEYS)

local found = redis.call('EXISTS', PLAN, INDEX, META, APPLIED)
for _, ids in ipairs({ redis.call('LRANGE', INDEX, 0, -1), redis.call('ZRANGE', OURS, 0, -1) }) do
  for _, id in ipairs(ids) do
    redis.call('UNLINK', RUN .. id)
  end
end
redis.call('UNLINK', PLAN, INDEX, META, EVIDENCE, APPLIED, APPLIED_AT, OURS, TURN)
if found == 0 then return 0 end
redis.call('PUBLISH', ARGV[1], ARGV[2])
return 1
