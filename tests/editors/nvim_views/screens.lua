-- What stands on the screen, cell by cell, in the tree and in the output: compared with screens.txt beside this file.
-- With SCREENS_WRITE=1 that is written anew, to be looked at before it is kept.
local here = vim.fs.dirname(debug.getinfo(1, "S").source:sub(2))
package.path = here .. "/?.lua;" .. package.path
local loopback = require("loopback")

local root = vim.env.STORY_ROOT
vim.opt.swapfile = false
-- What is under way began just now, on however busy a machine.
local LATER = { at = "2099-01-01T00:00:00Z" }
local session = { sessionId = "s1", agentId = "agent-1", role = "executor", model = "m", taskId = "01/3", number = 1 }

---@param kind string
---@param members table
local function event(kind, members)
  loopback.event(kind, vim.tbl_extend("keep", members, LATER))
end

---The rows of the current window as they are drawn, with the line of what it is called.
local function screen()
  vim.cmd("redraw!")
  local row, column = unpack(vim.api.nvim_win_get_position(0))
  local width, rows = vim.api.nvim_win_get_width(0), {}
  for line = row + 1, row + vim.api.nvim_win_get_height(0) + 1 do
    local cells = {}
    for cell = column + 1, column + width do
      cells[#cells + 1] = vim.fn.screenstring(line, cell)
    end
    rows[#rows + 1] = table.concat(cells):gsub("%s+$", "")
  end
  return table.concat(rows, "\n")
end

local function work()
  event("taskDone", { taskId = "01/1", proven = true, evidence = {} })
  event("taskFailed", { taskId = "01/2", reason = "three attempts did not prove it" })
  event("taskReset", { taskId = "01/2" })
  event("taskSkipped", { taskId = "01/2", reason = "not needed now" })
  event("runStarted", { runId = "r1", scope = { kind = "project" }, budget = {}, unattended = false })
  event("taskStarted", { taskId = "01/3", agentId = "agent-1", number = 2 })
  event("sessionStarted", session)
  event("taskBlocked", { taskId = "02/1", reason = "needs a key: 漢字 and words that no window has room for" })
  local question =
    { approvalId = "q1", agentId = "agent-1", taskId = "01/3", kind = "command", subject = "make\ninstall" }
  event("approvalAsked", vim.tbl_extend("force", question, { purpose = "runs a command", choices = { "Yes", "No" } }))
  event("promptQueued", { promptId = "p1", toAgentId = "agent-1", text = "use few words" })
end

local function talk()
  local function call(id, name, input)
    event("toolRequested", { sessionId = "s1", callId = id, name = name, input = vim.json.encode(input) })
  end
  local function settled(id, name, text, wrong)
    event("toolSettled", { sessionId = "s1", callId = id, name = name, isError = wrong or false, text = text })
  end
  event("messageAdded", { sessionId = "s1", text = "# Task 01/3\n\nBuild it." })
  loopback.output({ sessionId = "s1", block = "1.0", kind = "thinking", text = "Where is it?\nThere." })
  loopback.output({ sessionId = "s1", block = "1.1", kind = "text", text = "I look at it, then I wr" })
  local turn =
    { sessionId = "s1", turn = 1, thinking = "Where is it?\nThere.", stop = "end_turn", usage = loopback.usage() }
  event("turnFinished", vim.tbl_extend("error", turn, { text = "I look at it, then I write." }))
  call("c1", "edit_file", { path = "greet.py", edits = {} })
  local diff = "@@ -2 +2 @@\n-    return name\n+    return name + '!'\n"
  event("editSettled", { agentId = "agent-1", path = "greet.py", applied = true, reason = "", diff = diff })
  settled("c1", "edit_file", "made")
  call("c2", "run_command", { command = "make test" })
  settled("c2", "run_command", "one\ntwo\n")
  call("c3", "run_command", { command = "make check" })
  settled("c3", "run_command", "wrong\n", true)
  call("c4", "run_command", { command = "make all" })
  loopback.output({ sessionId = "s1", block = "c4", kind = "command", text = "building…\n" })
end

loopback.answers["specloom/events/list"] = { events = {}, more = false, seq = 0 }
local seen = {}

---@param name string
local function keep(name)
  seen[#seen + 1] = ("== %s\n%s\n"):format(name, screen())
end

local function play()
  vim.o.columns, vim.o.lines, vim.o.laststatus = 80, 24, 2
  local connection = loopback.start(loopback.project(2, 3, root), root)
  local output = require("specloom.output")
  event("sessionStarted", vim.tbl_extend("force", session, { sessionId = "s0", taskId = "01/1" }))
  event("sessionEnded", { sessionId = "s0", outcome = "claimed", reason = "" })
  output.open(connection, "agent-1")
  vim.cmd.only()
  local trees = require("specloom.tree")
  trees.open(connection)
  keep("tree before a run")
  work()
  loopback.settle()
  keep("tree during a run")
  vim.api.nvim_feedkeys(vim.keycode("}zc"), "mx", false)
  keep("tree with a closed spec")
  vim.cmd.bwipeout()
  vim.o.columns, vim.o.background = 40, "light"
  require("specloom").setup({ icons = "ascii" })
  trees.open(connection)
  vim.cmd.only()
  -- As Neovim does once it waits for keys.
  vim.api.nvim_exec_autocmds("WinResized", {})
  loopback.settle()
  keep("tree in 40 columns of ASCII")
  trees.close(connection)
  vim.o.columns = 80
  output.open(connection, "agent-1")
  vim.cmd.only()
  talk()
  loopback.settle()
  keep("output with all folded")
  vim.api.nvim_feedkeys("zR", "nx", false)
  keep("output with all unfolded")
end

local fine, message = xpcall(play, debug.traceback)
local text, path = table.concat(seen, "\n"), here .. "/screens.txt"
if vim.env.SCREENS_WRITE and fine then
  vim.fn.writefile(vim.split(text, "\n"), path, "b")
elseif fine then
  message = vim.diff(table.concat(vim.fn.readfile(path, "b"), "\n"), text, { ctxlen = 4 })
  fine = message == ""
end
print(fine and "fine" or message)
os.exit(fine and 0 or 1)
