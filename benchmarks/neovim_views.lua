-- Played by neovim_views.py in a Neovim with a screen; writes what it measured as JSON to $BENCH_RESULT, and ends.
package.path = vim.env.BENCH_ROOT .. "/tests/editors/nvim_views/?.lua;" .. package.path
local loopback = require("loopback")

local SPECS, EACH = 100, 100
local UPDATES, PER_SECOND = 600, 60
local PIECES, PER_TICK, TICK_MS = 20000, 40, 10

local function cpu_ms()
  local used = vim.uv.getrusage()
  return (used.utime.sec + used.stime.sec) * 1000 + (used.utime.usec + used.stime.usec) / 1000
end

---Runs steps at their times, and draws after each as Neovim does between keys.
---@return number seconds
---@return number longest CPU of one step, what it drew included: as long no key was heard
local function paced(steps, every_ms, step)
  local started, longest = vim.uv.hrtime(), 0
  for number = 1, steps do
    local before = cpu_ms()
    step(number)
    vim.wait(math.max(1, number * every_ms - (vim.uv.hrtime() - started) / 1e6), function()
      return false
    end, 5)
    vim.cmd.redraw()
    longest = math.max(longest, cpu_ms() - before)
  end
  return (vim.uv.hrtime() - started) / 1e9, longest
end

---CPU of what `run` does, without that of waiting as long for nothing.
local function cost(steps, every_ms, step)
  local before = cpu_ms()
  paced(steps, every_ms, function() end)
  local idle = cpu_ms() - before
  before = cpu_ms()
  local seconds, longest = paced(steps, every_ms, step)
  return cpu_ms() - before - idle, seconds, longest
end

local function tree(connection, result)
  local before = cpu_ms()
  local shown = require("specloom.tree").open(connection)
  vim.cmd.redraw()
  result.open_ms = cpu_ms() - before
  vim.api.nvim_win_set_cursor(0, { 5000, 0 })
  local used = cost(UPDATES, 1000 / PER_SECOND, function(number)
    local id = ("%02d/%d"):format(number % SPECS + 1, math.ceil(number / SPECS))
    loopback.event("taskDone", { taskId = id, proven = true, evidence = {} })
  end)
  result.update_ms = used / UPDATES
  result.cursor_moved = vim.api.nvim_win_get_cursor(0)[1] ~= 5000
  local samples = {}
  for number = 1, 41 do
    before = cpu_ms()
    loopback.event(
      "approvalAsked",
      { approvalId = "q" .. number, kind = "command", subject = "ls", purpose = "", choices = {} }
    )
    shown:draw()
    samples[number] = cpu_ms() - before
  end
  table.sort(samples)
  result.line_added_ms = samples[21]
  require("specloom.tree").close(connection)
end

local function output(connection, result)
  loopback.answers["specloom/events/list"] = { events = {}, more = false, seq = 0 }
  local started = { sessionId = "s1", agentId = "agent-1", role = "executor", model = "m", taskId = "01/1", number = 1 }
  loopback.event("sessionStarted", started)
  require("specloom.output").show(connection, "agent-1")
  local ticks = PIECES / PER_TICK
  local used, seconds, longest = cost(ticks, TICK_MS, function(tick)
    for piece = 1, PER_TICK do
      local text = piece % 12 == 0 and "word\n" or "word "
      loopback.output({ sessionId = "s1", block = math.ceil(tick / 50) .. ".0", kind = "text", text = text })
    end
  end)
  result.pieces_ms_per_1000 = used / PIECES * 1000
  result.pieces_seconds, result.pieces_longest_ms = seconds, longest
end

local function measured()
  local result = { version = tostring(vim.version()) }
  local snapshot = vim.json.encode(loopback.project(SPECS, EACH, vim.env.BENCH_ROOT))
  local before = cpu_ms()
  require("specloom.projection").new(vim.json.decode(snapshot, { luanil = { object = true } }))
  result.snapshot_ms, result.snapshot_bytes = cpu_ms() - before, #snapshot
  local connection = loopback.start(loopback.project(SPECS, EACH, vim.env.BENCH_ROOT), vim.env.BENCH_ROOT)
  tree(connection, result)
  output(connection, result)
  return result
end

vim.defer_fn(function()
  local fine, result = xpcall(measured, debug.traceback)
  vim.fn.writefile({ fine and vim.json.encode(result) or vim.json.encode({ error = result }) }, vim.env.BENCH_RESULT)
  os.exit(0)
end, 200)
