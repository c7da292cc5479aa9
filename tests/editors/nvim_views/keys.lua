-- What each key of the tree and the output does: where the cursor goes, which file opens, what the server is asked.
package.path = vim.fs.dirname(debug.getinfo(1, "S").source:sub(2)) .. "/?.lua;" .. package.path
local loopback = require("loopback")
local cases = require("cases")

local root = vim.env.STORY_ROOT
vim.opt.swapfile = false

local function written(path, lines)
  vim.fn.mkdir(vim.fs.dirname(root .. "/" .. path), "p")
  vim.fn.writefile(lines, root .. "/" .. path)
end

local same = loopback.same
local stock_select = vim.ui.select

local function press(keys)
  vim.api.nvim_feedkeys(vim.keycode(keys), "mx", false)
  loopback.settle()
end

---The newest order, without what makes it one.
local function asked()
  local newest = loopback.asked[#loopback.asked]
  newest.params.commandId = nil
  return { newest.method, newest.params }
end

local function place()
  local name = vim.api.nvim_buf_get_name(0)
  return { vim.fs.basename(name), vim.api.nvim_win_get_cursor(0)[1] }
end

written("specs/01-part.md", { "# Part 1", "- [ ] 1 Build", "- [ ] 2 Build", "- [ ] 3 Build" })
written("requirements.md", { "# All", "", "- R1.1 It SHALL work" })
written("greet.py", { "def greet(name):", "    return name" })
local snapshot = loopback.project(2, 3, root)
snapshot.tasks[2].requirements = { "R1.1" }
local uri = vim.uri_from_fname(root .. "/requirements.md")
snapshot.requirements =
  { { id = "R1.1", text = "It SHALL work", title = "", path = "requirements.md", uri = uri, line = 2 } }
loopback.answers["textDocument/hover"] = { contents = { kind = "markdown", value = "of 01/2" } }
loopback.answers["specloom/events/list"] = { events = {}, more = false, seq = 0 }
local connection = loopback.start(snapshot, root)

local function tree()
  local shown = assert(require("specloom.tree").open(connection))
  loopback.settle()
  vim.api.nvim_win_set_cursor(0, { 1, 0 })
  return function()
    return shown.board.nodes[vim.api.nvim_win_get_cursor(0)[1]].id
  end
end

function cases.keys_that_move()
  loopback.event("taskFailed", { taskId = "01/2", reason = "no" })
  loopback.event("taskBlocked", { taskId = "02/3", reason = "no" })
  local here = tree()
  local seen = {}
  for _, keys in ipairs({ "J", "J", "J", "K", "{", "}", "{", "zc", "}" }) do
    press(keys)
    seen[#seen + 1] = here()
  end
  local wanted =
    { "task 01/2", "task 02/3", "task 02/3", "task 01/2", "spec 01", "spec 02", "spec 01", "spec 01", "spec 02" }
  same(seen, wanted)
  press("{zojzc")
  same(here(), "spec 01")
  press("zRJ")
  same(here(), "task 01/2")
end

function cases.keys_that_open()
  tree()
  press("Jo")
  same(place(), { "01-part.md", 3 })
  tree()
  press("Jgd")
  same(place(), { "requirements.md", 3 })
  local windows = #vim.api.nvim_tabpage_list_wins(0)
  tree()
  press("J<C-s>")
  same({ #vim.api.nvim_tabpage_list_wins(0), place() }, { windows + 1, { "01-part.md", 3 } })
  tree()
  press("J<C-t>")
  same({ vim.fn.tabpagenr("$"), place() }, { 2, { "01-part.md", 3 } })
  vim.cmd.tabclose()
  tree()
  press("Jp")
  local shown = vim.iter(vim.api.nvim_list_wins()):find(function(window)
    return vim.api.nvim_win_get_config(window).relative ~= ""
  end)
  assert(shown, "nothing is told")
  same({ asked()[1], asked()[2].position.line }, { "textDocument/hover", 2 })
  same(vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(shown), 0, 1, false), { "of 01/2" })
  vim.api.nvim_win_close(shown, true)
end

--- What ends first is told; it can be wanted sooner, or not at all.
local function while_it_pauses()
  local function menu()
    local offered
    vim.ui.select = function(titles)
      offered = titles
    end
    press("gg<CR>")
    return offered
  end
  local function goes(kind, after)
    loopback.event(kind, { runId = "r1", reason = "", after = after })
    loopback.settle()
  end
  local stop = "Stop run"
  same(menu(), { "Pause run now", "Pause run after this turn", "Pause run after this task", stop })
  goes("runPausing", "task")
  same(vim.api.nvim_get_current_line():match("pausing after this task"), "pausing after this task")
  same(menu(), { "Resume run", "Pause run now", "Pause run after this turn", stop })
  goes("runPausing", "turn")
  same(menu(), { "Resume run", "Pause run now", stop })
  press("r")
  same(asked()[1], "specloom/run/resume")
  loopback.event(
    "taskStarted",
    { taskId = "01/1", attemptId = "a", runId = "r1", agentId = "agent-1", number = 1, verify = {} }
  )
  loopback.settle()
  local row = vim.fn.search("▶ 1 ")
  assert(row > 1, "the task is begun")
  goes("runPaused")
  same(vim.fn.getline(row):match("⏸ 1 "), "⏸ 1 ")
  goes("runResumed")
  same(vim.fn.getline(row):match("▶ 1 "), "▶ 1 ")
  loopback.event("taskReset", { taskId = "01/1" })
  loopback.settle()
end

function cases.keys_that_order()
  tree()
  press("}r")
  same(asked(), { "specloom/run/start", { scope = { kind = "spec", id = "01" } } })
  loopback.event("runStarted", { runId = "r1", scope = { kind = "project" }, budget = {}, unattended = false })
  loopback.settle()
  press("u")
  same(asked()[1], "specloom/run/cancel")
  while_it_pauses()
  loopback.event("runPaused", { runId = "r1", reason = "you said so", cause = "other" })
  loopback.settle()
  press("r")
  same(asked()[1], "specloom/run/resume")
  local offered
  vim.ui.select = function(titles, _, chosen)
    offered = titles
    chosen(titles[2], titles[2] and 2)
  end
  press("J<CR>")
  same(offered, { "Retry", "Skip", "Reset", "Resume run", "Stop run" })
  same(asked(), { "specloom/task/skip", { taskId = "01/2" } })
  loopback.event("runFinished", { runId = "r1", outcome = "cancelled", reason = "" })
  loopback.settle()
  press("k<CR>")
  same(offered, { "Run", "Skip" })
  press("jj<CR>")
  same(offered[1], "Skip")
  for _, command in ipairs({ "", "true" }) do
    loopback.event("taskDone", { taskId = "02/1", proven = true, evidence = { { command = command } } })
    loopback.event("proofStale", { taskId = "02/1", paths = {}, requirements = { "R1.1" } })
    loopback.settle()
    press("gg/2 Part 2<CR>j<CR>")
    local reads = vim.api.nvim_get_current_line()
    assert(reads:find("≠", 1, true) and reads:find("outdated", 1, true), reads)
    same(vim.list_slice(offered, 1, 2), command == "" and { "Reset", "Show proof" } or { "Verify again", "Reset" })
    loopback.event("taskReset", { taskId = "02/1" })
  end
end

function cases.a_message_of_the_server_is_told_as_all_else_is_which_asks_for_no_enter()
  loopback.message("the folder was removed while the run went on; " .. ("restore it "):rep(40))
  loopback.settle()
  local kept = require("specloom.tell").kept
  assert(vim.startswith(kept[#kept] or "", "Specloom: the folder was removed"), kept[#kept])
end

function cases.keys_of_the_output()
  local session = { sessionId = "s1", agentId = "agent-1", role = "executor", model = "m", taskId = "01/1", number = 1 }
  loopback.event("sessionStarted", session)
  local output = assert(require("specloom.output").open(connection, "agent-1"))
  local edit = vim.json.encode({ path = "greet.py", content = "def greet(name):\n    return name\n" })
  loopback.event("toolRequested", { sessionId = "s1", callId = "c1", name = "write_file", input = edit })
  loopback.event("messageAdded", { sessionId = "s1", text = "one\ntwo\nthree" })
  loopback.event("promptQueued", { promptId = "p1", toAgentId = "agent-1", text = "shorter" })
  loopback.settle()
  press("kx")
  same(asked(), { "specloom/prompt/withdraw", { promptId = "p1" } })
  vim.fn.search("is told")
  same(vim.fn.foldclosed("."), vim.fn.line("."))
  press("<Tab>")
  same(vim.fn.foldclosed("."), -1)
  vim.fn.search("return name")
  press("gf")
  same(place(), { "greet.py", 2 })
  assert(vim.api.nvim_buf_is_valid(output.buf))
end

function cases.user_autocommands()
  require("specloom.status").begin()
  local heard, texts = {}, 0
  vim.api.nvim_create_autocmd("User", {
    pattern = "Specloom*",
    callback = function(event)
      same(event.data.root, connection.root)
      texts = texts + (event.match == "SpecloomStatus" and 1 or 0)
      event.data.root = nil
      heard[#heard + 1] = event.match ~= "SpecloomStatus" and { event.match, event.data } or nil
    end,
  })
  loopback.event("runStarted", { runId = "r2", scope = { kind = "project" }, budget = {}, unattended = false })
  loopback.event("taskDone", { taskId = "01/1", proven = true, evidence = {} })
  loopback.event("approvalAsked", { approvalId = "q1", kind = "command", subject = "ls", purpose = "", choices = {} })
  loopback.event("approvalAnswered", { approvalId = "q1", allowed = true })
  loopback.event("runFinished", { runId = "r2", outcome = "cancelled", reason = "enough" })
  loopback.settle(150)
  connection:become("gone", "killed")
  connection:become("live")
  same(heard, {
    { "SpecloomRun", { run = "r2", state = "running" } },
    { "SpecloomTask", { task = "01/1", state = "done" } },
    { "SpecloomAsked", { approval = "q1" } },
    { "SpecloomAnswered", { approval = "q1", allowed = true } },
    { "SpecloomRun", { run = "r2", state = "finished", reason = "enough" } },
    { "SpecloomGone", { state = "gone" } },
    { "SpecloomAttached", { state = "live" } },
  })
  assert(texts > 0, "the statusline did not change")
end

function cases.subcommands()
  vim.cmd.runtime("plugin/specloom.lua")
  same(vim.fn.getcompletion("Specloom re", "cmdline"), { "reset", "restart", "resume", "retry" })
  same(vim.fn.getcompletion("Specloom pause ", "cmdline"), { "now", "turn", "task" })
  same(vim.fn.getcompletion("Specloom skip 02/", "cmdline"), { "02/1", "02/2", "02/3" })
  same(vim.fn.getcompletion("Specloom run 0", "cmdline")[1], "01")
  local function order(name, rest)
    local call = { connection = connection, rest = rest, words = vim.split(rest, " ", { trimempty = true }) }
    require("specloom.orders").OF_PROJECT[name](call)
    loopback.settle()
    return asked()
  end
  local limited = { scope = { kind = "spec", id = "01" }, budget = { usd = 2.5, turns = 30 } }
  same(order("run", "01 usd=2.5 turns=30"), { "specloom/run/start", limited })
  same(order("skip", "01/3 not needed now"), { "specloom/task/skip", { taskId = "01/3", reason = "not needed now" } })
  vim.cmd.edit(root .. "/specs/01-part.md")
  vim.api.nvim_win_set_cursor(0, { 3, 0 })
  for name, method in pairs({ retry = "retry", unblock = "unblock", reset = "reset" }) do
    same(order(name, ""), { "specloom/task/" .. method, { taskId = "01/2" } })
  end
  same(order("plan", "smaller tasks"), { "specloom/spec/generate", { feedback = "smaller tasks" } })
  local before = #loopback.asked
  for name, rest in pairs({ run = "usd=much", reset = "01", pause = "later" }) do
    order(name, rest)
  end
  same(#loopback.asked, before)
end

function cases.pages()
  local spent = { usd = 0.5, tokens = 1200, turns = 3, minutes = 1.4 }
  local project = vim.deepcopy(loopback.answers["specloom/project/get"])
  project.budget, project.run, project.today = { usd = 2 }, nil, { spent = spent, budget = vim.empty_dict() }
  loopback.answers["specloom/project/get"] = project
  local turns = { likely = 9, low = 4, high = 20 }
  local estimate = { tasks = 5, planned = true, model = "m", turns = turns, basis = "history", samples = 7 }
  estimate.held, estimate.rechecked, estimate.unplanned = 0, 3, 2
  loopback.answers["specloom/run/estimate"] = estimate
  loopback.answers["specloom/grant/list"] = { grants = { { id = "g1", text = "pytest", scope = "project" } } }
  local function page(name, bang)
    require("specloom.orders").OF_PROJECT[name]({ connection = connection, rest = "", words = {}, bang = bang })
    loopback.settle()
    loopback.settle()
    return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "\n")
  end
  local budget = page("budget")
  for _, part in ipairs({
    "- a run may use: $2.00",
    "- today: $0.50, 1200 tokens, 3 turns, 1 minutes used of no limit",
    "- 5 tasks with m",
    "- 9 turns (4 to 20)",
    "- its price is unknown",
    "- by 7 tasks that were done here",
    "- proofs to verify again: 3",
    "- specs without tasks yet, which come on top: 2",
  }) do
    assert(budget:find(part, 1, true), part .. " is missing in\n" .. budget)
  end
  assert(not budget:find("left alone", 1, true), "nothing failed")
  vim.cmd.close()
  local question = { approvalId = "q2", kind = "command", subject = "ls", purpose = "runs ls", choices = { "Yes" } }
  loopback.event("approvalAsked", question)
  same(page("approve", true), "## runs ls\n\nls\n\n- Yes\n")
  vim.cmd.close()
  vim.ui.select = stock_select
  page("grants")
  press("1")
  same(asked(), { "specloom/grant/revoke", { grantId = "g1" } })
end

function cases.edits_that_are_refused()
  local path = root .. "/greet.py"
  vim.cmd.edit(path)
  local buf = vim.api.nvim_get_current_buf()
  local function applied(name, version)
    local start = { line = 0, character = 0 }
    local edits = { { range = { start = start, ["end"] = start }, newText = "# new\n" } }
    local document = { uri = vim.uri_from_fname(root .. "/" .. name), version = version }
    local context = { client_id = connection.lsp.id, method = "workspace/applyEdit" }
    local params = { edit = { documentChanges = { { textDocument = document, edits = edits } } } }
    return require("specloom.documents").HANDLERS["workspace/applyEdit"](nil, params, context).applied
  end
  vim.lsp.util.buf_versions[buf] = 5
  same({ applied("other.py", 1), vim.fn.bufexists(root .. "/other.py") }, { false, 0 })
  same({ applied("greet.py", 3), vim.bo[buf].modified }, { false, false })
  vim.bo[buf].modifiable = false
  same({ applied("greet.py", 5), vim.bo[buf].modified }, { false, false })
  vim.bo[buf].modifiable = true
  same({ applied("greet.py", 5), vim.bo[buf].modified }, { true, true })
end

function cases.saves_what_the_server_names_and_nothing_else()
  local bufs, uris = {}, {}
  for number, name in ipairs({ "a.py", "b.py", "c.py" }) do
    written(name, { "x = 1" })
    vim.cmd.edit(root .. "/" .. name)
    bufs[number], uris[number] = vim.api.nvim_get_current_buf(), vim.uri_from_bufnr(0)
    vim.api.nvim_buf_set_lines(0, 0, 0, false, { "# mine" })
  end
  vim.bo[bufs[2]].readonly = true
  local wrote = {}
  vim.api.nvim_create_autocmd("BufWritePre", {
    callback = function(event)
      wrote[#wrote + 1] = event.buf
    end,
  })
  local asked_for = { uris[1], uris[2], vim.uri_from_fname(root .. "/unopened.py") }
  same(
    require("specloom.documents").HANDLERS["specloom/document/save"](nil, { uris = asked_for }),
    { saved = { uris[1] } }
  )
  same(wrote, { bufs[1] })
  same(
    vim.tbl_map(function(buf)
      return vim.bo[buf].modified
    end, bufs),
    { false, true, true }
  )
  local told = require("specloom.tell").kept
  assert(told[#told]:find("a check waits for .*b%.py, whose file changed on disk or is read%-only"), told[#told])
  vim.cmd("bwipeout! a.py b.py c.py")
end

function cases.choices_that_are_longer_than_the_screen()
  vim.ui.select = stock_select
  for _, seen in ipairs({ { lines = 3, cursor = 5, chosen = 1 }, { lines = 200, cursor = 1 } }) do
    local text, chosen = vim.trim(("run this\n"):rep(seen.lines)), nil
    require("specloom.choice").select({ "Yes", "No" }, "Specloom asks", text, function(index)
      chosen = index
    end)
    same(vim.api.nvim_win_get_cursor(0)[1], seen.cursor)
    press("<CR>")
    same(chosen, seen.chosen)
    press("G<CR>")
    same(chosen, seen.chosen or 2)
  end
end

function cases.choices_that_are_taken_back()
  local answered = 0
  local function answer()
    answered = answered + 1
  end
  for _, own in ipairs({ false, true }) do
    vim.ui.select = own
        and function()
          vim.api.nvim_open_win(0, true, { relative = "editor", row = 1, col = 1, width = 9, height = 1 })
        end
      or stock_select
    local windows = #vim.api.nvim_list_wins()
    local withdraw = require("specloom.choice").select({ "Yes", "No" }, "Specloom asks", "ls", answer)
    loopback.settle()
    same(#vim.api.nvim_list_wins(), windows + 1)
    withdraw()
    loopback.settle()
    same({ #vim.api.nvim_list_wins(), answered }, { windows, 0 })
  end
end

cases()
