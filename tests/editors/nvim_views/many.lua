-- Ten thousand tasks with sixty updates a second, and twenty thousand pieces of output: nothing moves that a person holds.
package.path = vim.fs.dirname(debug.getinfo(1, "S").source:sub(2)) .. "/?.lua;" .. package.path
local loopback = require("loopback")

local SPECS, EACH, UPDATES = 100, 100, 90
local connection = loopback.start(loopback.project(SPECS, EACH, vim.env.STORY_ROOT), vim.env.STORY_ROOT)

local function look()
  vim.cmd.redraw()
  local view = vim.fn.winsaveview()
  return { view.lnum, view.topline, view.col, vim.api.nvim_get_current_win() }
end

local function tree()
  local shown = assert(require("specloom.tree").open(connection))
  assert(#shown.board.lines == 1 + SPECS + SPECS * EACH, "lines are missing")
  vim.api.nvim_win_set_cursor(0, { 5000, 4 })
  local node, before = shown.board.nodes[5000].id, look()
  local started = vim.uv.hrtime()
  for number = 1, UPDATES do
    loopback.event(
      "taskDone",
      { taskId = ("%02d/%d"):format(number % SPECS + 1, math.ceil(number / SPECS)), proven = true, evidence = {} }
    )
    -- Each at its time, sixty a second.
    vim.wait(math.max(1, number * 1000 / 60 - (vim.uv.hrtime() - started) / 1e6), function()
      return false
    end, 4)
  end
  loopback.settle()
  assert(vim.deep_equal(look(), before), "the view moved")
  assert(shown.board.lines[shown.board.row["spec 02"]]:find("1/100", 1, true), "an update does not show")
  -- Two lines come above the cursor: what is seen stays.
  loopback.event("approvalAsked", { approvalId = "q1", kind = "command", subject = "ls", purpose = "", choices = {} })
  loopback.settle()
  local after = look()
  assert(shown.board.nodes[after[1]].id == node, "the cursor left its task")
  assert(
    after[1] == before[1] + 2 and after[2] == before[2] + 2,
    "the window scrolled: " .. vim.inspect({ before, after })
  )
  require("specloom.tree").close(connection)
end

local function sheet()
  loopback.answers["specloom/events/list"] = { events = {}, more = false, seq = 0 }
  loopback.event(
    "sessionStarted",
    { sessionId = "s1", agentId = "agent-1", role = "executor", model = "m", taskId = "01/1", number = 1, because = "" }
  )
  vim.cmd.new()
  local reader = vim.api.nvim_get_current_win()
  local output = require("specloom.output").show(connection, "agent-1")
  vim.cmd.new()
  require("specloom.output").show(connection, "agent-1")
  loopback.settle()
  for number = 1, 20000 do
    loopback.output({ sessionId = "s1", block = "1.0", kind = "text", text = number % 12 == 0 and "word\n" or "word " })
    if number == 4000 then
      loopback.settle()
      vim.api.nvim_win_set_cursor(reader, { 40, 0 })
    elseif number % 500 == 0 then
      loopback.settle(16)
    end
  end
  loopback.settle()
  local last = vim.api.nvim_buf_line_count(output.buf)
  assert(last < 2100, last .. " lines are kept")
  assert(vim.api.nvim_win_get_cursor(0)[1] == last, "the end is not followed")
  assert(vim.api.nvim_win_get_cursor(reader)[1] < 1000, "who reads was taken to the end")
  loopback.event(
    "toolRequested",
    { sessionId = "s1", callId = "c1", name = "write_file", input = '{"path":"a.py","content":"x = 1"}' }
  )
  loopback.settle()
  vim.cmd.redraw()
  local diff = vim.fn.screenpos(0, vim.api.nvim_buf_line_count(output.buf) - 1, 5)
  local text = vim.fn.screenpos(0, vim.api.nvim_buf_line_count(output.buf) - 3, 5)
  assert(diff.row > 0 and text.row > 0, "the end is not on the screen")
  assert(vim.fn.screenattr(diff.row, diff.col) ~= vim.fn.screenattr(text.row, text.col), "a diff without colours")
end

local fine, message = xpcall(function()
  tree()
  sheet()
end, debug.traceback)
print(fine and "fine" or message)
os.exit(fine and 0 or 1)
