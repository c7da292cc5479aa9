-- The plugin's windows among all that people do with windows and options: none of it breaks them, or is broken by them.
package.path = vim.fs.dirname(debug.getinfo(1, "S").source:sub(2)) .. "/?.lua;" .. package.path
local loopback = require("loopback")
local cases = require("cases")
local same = loopback.same

local root = vim.env.STORY_ROOT
-- As many people have them.
vim.opt.autochdir, vim.opt.undofile, vim.opt.swapfile = true, true, true

local function written(path, lines)
  vim.fn.mkdir(vim.fs.dirname(root .. "/" .. path), "p")
  vim.fn.writefile(lines, root .. "/" .. path)
end

local function press(keys)
  vim.api.nvim_feedkeys(vim.keycode(keys), "mx", false)
  loopback.settle()
end

written("specs/01-part.md", { "# Part 1", "- [ ] 1 Build", "- [ ] 2 Build", "- [ ] 3 Build" })
written("requirements.md", { "# All" })
written("greet.py", { "def greet(name):", "    return name" })
loopback.answers["specloom/events/list"] = { events = {}, more = false, seq = 0 }
local connection = loopback.start(loopback.project(2, 3, root), root)
vim.cmd.runtime("plugin/specloom.lua")
-- What is at the other end needs no start.
require("specloom.server").start = function()
  return true
end
local session = { sessionId = "s1", agentId = "agent-1", role = "executor", model = "m", taskId = "01/1", number = 1 }
loopback.event("sessionStarted", session)

local function lines()
  return vim.api.nvim_buf_get_lines(0, 0, -1, false)
end

---One window with one empty buffer, as Neovim starts.
local function begin()
  vim.cmd("silent! tabonly! | silent! only! | enew!")
  vim.v.errmsg = ""
end

local function tree()
  local shown = require("specloom.tree").open(connection)
  loopback.settle()
  vim.api.nvim_win_set_cursor(0, { 1, 0 })
  return shown
end

local function output()
  local shown = assert(require("specloom.output").open(connection, "agent-1"))
  loopback.settle()
  return shown
end

local function place()
  return { vim.fs.basename(vim.api.nvim_buf_get_name(0)), vim.api.nvim_win_get_cursor(0)[1] }
end

local function floats()
  return vim.tbl_filter(function(window)
    return vim.api.nvim_win_get_config(window).relative ~= ""
  end, vim.api.nvim_list_wins())
end

function cases.files_with_unsaved_words_are_gone_to_and_keep_them()
  begin()
  vim.cmd.edit(root .. "/specs/01-part.md")
  vim.api.nvim_buf_set_lines(0, -1, -1, false, { "mine" })
  tree()
  vim.fn.search("Build piece 2")
  press("o")
  same({ place(), lines()[5], vim.v.errmsg }, { { "01-part.md", 3 }, "mine", "" })
  -- Where 'hidden' is off, what is unsaved stays in sight.
  vim.o.hidden = false
  vim.api.nvim_win_set_cursor(0, { 1, 0 })
  vim.cmd.edit({ bang = true })
  vim.cmd.edit(root .. "/greet.py")
  vim.api.nvim_buf_set_lines(0, -1, -1, false, { "mine" })
  vim.cmd.wincmd("p")
  press("o")
  same({ place(), vim.fn.bufwinnr("greet.py") > 0, vim.v.errmsg }, { { "01-part.md", 3 }, true, "" })
  vim.cmd.buffer({ "greet.py", bang = true })
  vim.cmd.edit({ bang = true })
  vim.o.hidden = true
end

function cases.output_opens_beside_the_file_that_one_is_at()
  begin()
  vim.cmd.edit(root .. "/greet.py")
  vim.cmd.split(root .. "/requirements.md")
  vim.cmd.wincmd("j")
  local file = vim.api.nvim_get_current_win()
  output()
  same(vim.fn.win_getid(vim.fn.winnr("#")), file)
  vim.cmd.close()
  -- From the tree, too, and over nothing that is unsaved.
  vim.api.nvim_set_current_win(file)
  vim.o.hidden = false
  vim.api.nvim_buf_set_lines(0, -1, -1, false, { "mine" })
  tree()
  vim.fn.search("executor")
  for _, wanted in ipairs({ 4, 4 }) do
    press("o")
    same({ vim.bo.filetype, #vim.api.nvim_list_wins(), vim.v.errmsg }, { "specloom-output", wanted, "" })
    vim.api.nvim_set_current_win(vim.fn.bufwinid("specloom://tree" .. root))
  end
  vim.o.hidden = true
  vim.api.nvim_win_call(file, function()
    vim.cmd.edit({ bang = true })
  end)
end

function cases.a_window_that_keeps_its_buffer_is_left_alone()
  begin()
  vim.cmd.edit(root .. "/greet.py")
  vim.wo.winfixbuf = true
  tree()
  vim.fn.search("Build piece 3")
  press("o")
  same({ place(), vim.fn.bufwinnr("greet.py") > 0, vim.v.errmsg }, { { "01-part.md", 4 }, true, "" })
  vim.cmd("windo setlocal nowinfixbuf")
end

function cases.views_come_back_after_whatever_unloads_them()
  for _, open in ipairs({ tree, output }) do
    begin()
    open()
    local before = #lines()
    assert(#lines()[1] > 0, "nothing is shown")
    for _, command in ipairs({ "edit", "edit!", "bunload", "bdelete", "bwipeout" }) do
      vim.cmd(command)
      open()
      same({ command, #lines(), vim.fn.maparg("q", "n") ~= "", vim.bo.modifiable }, { command, before, true, false })
    end
    loopback.event("promptQueued", { promptId = "p1", toAgentId = "agent-1", text = "shorter" })
    loopback.settle()
    same(#lines(), before + 1)
    loopback.event("promptWithdrawn", { promptId = "p1" })
  end
end

function cases.a_session_keeps_the_views()
  begin()
  vim.cmd.edit(root .. "/greet.py")
  tree()
  output()
  vim.cmd.mksession(root .. "/Session.vim")
  vim.cmd("silent! %bwipeout!")
  vim.cmd.source(root .. "/Session.vim")
  loopback.settle()
  local seen = {}
  for _, window in ipairs(vim.api.nvim_list_wins()) do
    local buf = vim.api.nvim_win_get_buf(window)
    local first = vim.api.nvim_buf_get_lines(buf, 0, 1, false)[1]
    local label = vim.bo[buf].filetype ~= "" and vim.bo[buf].filetype or vim.fs.basename(vim.api.nvim_buf_get_name(buf))
    seen[label] = { first:match("%w+"), vim.wo[window].wrap }
  end
  local wanted = { ["specloom-tree"] = { "greeter", false }, ["specloom-output"] = { "executor", true } }
  same(seen, vim.tbl_extend("error", wanted, { ["greet.py"] = { "def", true } }))
end

function cases.other_buffers_take_over_no_options()
  for _, open in ipairs({ tree, output }) do
    begin()
    local function options()
      return { vim.wo.winfixwidth, vim.wo.wrap, vim.wo.statusline, vim.wo.foldmethod, vim.wo.fillchars }
    end
    local before = options()
    open()
    vim.cmd.edit(root .. "/greet.py")
    same(options(), before)
  end
end

function cases.no_option_of_a_person_reaches_into_the_views()
  begin()
  -- Buffers remember the options of their last window.
  vim.cmd("silent! %bwipeout!")
  vim.cmd(
    "set statuscolumn=%l\\  number signcolumn=yes:2 colorcolumn=20 cursorcolumn conceallevel=3 rightleft foldcolumn=2"
  )
  vim.cmd.edit(root .. "/greet.py")
  vim.cmd("vert diffsplit " .. vim.fn.fnameescape(root .. "/requirements.md"))
  for _, open in ipairs({ tree, output }) do
    open()
    same(vim.fn.getwininfo(vim.api.nvim_get_current_win())[1].textoff, 0)
    local wo = vim.wo
    same(
      { wo.diff, wo.scrollbind, wo.cursorbind, wo.rightleft, wo.cursorcolumn },
      { false, false, false, false, false }
    )
    same({ wo.colorcolumn, wo.conceallevel, wo.winfixwidth }, { "", 0, open == tree })
  end
  vim.cmd("diffoff! | set stc= nonumber scl& cc& nocuc cole& norl fdc&")
end

function cases.the_last_window_is_closed_by_q_as_by_any_other()
  for _, command in ipairs({ "Specloom status", "Specloom tree", "Specloom output" }) do
    begin()
    vim.cmd(command)
    loopback.settle()
    vim.cmd.only()
    press("q")
    same({ command, vim.api.nvim_buf_get_name(0), vim.v.errmsg }, { command, "", "" })
  end
end

function cases.a_count_goes_as_many_tasks_on()
  begin()
  loopback.event("taskFailed", { taskId = "01/2", reason = "no" })
  loopback.event("taskBlocked", { taskId = "02/1", reason = "no" })
  loopback.event("taskBlocked", { taskId = "02/3", reason = "no" })
  local shown = tree()
  local seen = {}
  vim.api.nvim_win_set_cursor(0, { 1, 0 })
  for _, keys in ipairs({ "2J", "2K", "9J", "2{", "zMJ", "zR" }) do
    press(keys)
    seen[#seen + 1] = shown.board.nodes[vim.fn.line(".")].id
  end
  -- Of what is closed, that which holds one.
  same(seen, { "task 02/1", "task 01/2", "task 02/3", "spec 01", "spec 02", "spec 02" })
end

function cases.small_screens_and_unwritable_buffers_are_enough()
  begin()
  vim.o.columns, vim.o.lines, vim.o.modifiable = 40, 10, false
  vim.cmd.Specloom("tree")
  loopback.settle()
  same({ vim.fn.winlayout()[1], vim.api.nvim_win_get_width(0) }, { "col", 40 })
  for _, line in ipairs(lines()) do
    assert(vim.api.nvim_strwidth(line) <= vim.api.nvim_win_get_width(0), line)
  end
  vim.cmd.only()
  vim.cmd.Specloom("status")
  press("q")
  output()
  press("i")
  same({ vim.bo.filetype, vim.bo.modifiable, vim.v.errmsg }, { "specloom-say", true, "" })
  vim.cmd.stopinsert()
  press("q")
  vim.o.columns, vim.o.lines, vim.o.modifiable = 80, 24, true
end

function cases.words_are_typed_in_one_line_at_a_time()
  begin()
  output()
  local before = #vim.api.nvim_list_wins()
  for _ = 1, 2 do
    press("i")
    vim.cmd.stopinsert()
    same({ vim.bo.filetype, #vim.api.nvim_list_wins() }, { "specloom-say", before + 1 })
    vim.cmd.wincmd("p")
  end
  vim.cmd.wincmd("p")
  press("q")
end

function cases.what_is_selected_in_the_output_stays_selected()
  begin()
  output()
  for number = 1, 9 do
    loopback.event("taskFailed", { taskId = "01/1", reason = "reason " .. number })
  end
  loopback.settle()
  vim.cmd.normal({ "Gv4l", bang = true })
  loopback.event("taskFailed", { taskId = "01/1", reason = "reason 10" })
  loopback.settle()
  same({ vim.fn.mode(), vim.fn.col(".") }, { "v", 7 })
  press("<Esc>G")
  loopback.event("taskFailed", { taskId = "01/1", reason = "reason 11" })
  loopback.settle()
  same({ vim.fn.mode(), vim.fn.line("."), vim.fn.col(".") }, { "n", vim.fn.line("$"), 1 })
end

function cases.colours_survive_another_scheme()
  begin()
  tree()
  for _, change in ipairs({ "colorscheme blue", "set background=light", "highlight clear" }) do
    vim.cmd(change)
    same({ change, vim.api.nvim_get_hl(0, { name = "SpecloomDone" }).link }, { change, "DiagnosticOk" })
  end
  vim.cmd("set background=dark | colorscheme default")
end

function cases.a_command_is_completed_however_it_is_written()
  for _, typed in ipairs({ "Specloom re", "Specl re", "vertical Specloom! re", "silent! Spec re" }) do
    same({ typed, vim.fn.getcompletion(typed, "cmdline") }, { typed, { "reset", "restart", "resume", "retry" } })
  end
  same(vim.fn.getcompletion("Spe skip 02/", "cmdline"), { "02/1", "02/2", "02/3" })
  same(#vim.fn.getcompletion("Specloom plan st", "cmdline"), 1)
end

function cases.plug_maps_do_what_their_names_say()
  begin()
  vim.keymap.set("n", "<F5>", "<Plug>(specloom-tree)")
  press("<F5>")
  same(vim.bo.filetype, "specloom-tree")
  press("<F5>")
  same(vim.bo.filetype, "")
  local orders = require("specloom.orders")
  for name in vim.api.nvim_exec2("nmap <Plug>(specloom-", { output = true }).output:gmatch("specloom%-([%a-]+)%)") do
    local subcommand = name:gsub("-here$", "")
    assert(orders.OF_PROJECT[subcommand] or orders.ALONE[subcommand], name .. " maps to nothing")
  end
end

function cases.commands_mean_what_the_cursor_is_on_in_the_tree_too()
  begin()
  tree()
  local function asked(pattern, command)
    vim.fn.search(pattern)
    vim.cmd.Specloom(command)
    loopback.settle()
    local newest = loopback.asked[#loopback.asked]
    newest.params.commandId = nil
    return { newest.method, newest.params }
  end
  same(asked("Build piece 2 of part 1", "reset"), { "specloom/task/reset", { taskId = "01/2" } })
  local spec = { scope = { kind = "spec", id = "02" }, budget = vim.empty_dict() }
  same(asked("Part 2$\\|02 Part 2", "run ."), { "specloom/run/start", spec })
  local before = #loopback.asked
  asked("greeter", "skip")
  same(#loopback.asked, before)
end

function cases.gf_goes_to_a_file_that_is_named_in_prose()
  begin()
  output()
  loopback.output({ sessionId = "s1", block = "1.0", kind = "text", text = "It stands in (`greet.py:2`), or no.where." })
  loopback.settle()
  vim.fn.search("greet\\.py")
  press("gf")
  same(place(), { "greet.py", 2 })
  vim.cmd.wincmd("p")
  vim.fn.search("no\\.where")
  press("gf")
  same({ vim.bo.filetype, vim.v.errmsg }, { "specloom-output", "" })
end

function cases.files_open_beside_and_above()
  local config = vim.api.nvim_win_get_config
  for keys, wanted in pairs({ ["<C-v>"] = "leaf", ["<C-s>"] = "col", ["<C-f>"] = "editor" }) do
    begin()
    tree()
    vim.fn.search("Build piece 2")
    press(keys)
    local split = config(0).relative ~= "" and config(0).relative or vim.fn.winlayout()[2][2][1]
    same({ keys, place(), #vim.api.nvim_list_wins(), split }, { keys, { "01-part.md", 3 }, 3, wanted })
    vim.cmd.close()
  end
end

function cases.the_list_of_keys_names_all_that_are_mapped()
  for help, open in pairs({ ["?"] = tree, ["g?"] = output }) do
    begin()
    open()
    local mapped = vim.api.nvim_buf_get_keymap(0, "n")
    press(help)
    same(#floats(), 1)
    local listed = table.concat(lines(), "\n"):lower()
    for _, map in ipairs(mapped) do
      local is_help = map.lhs == "?" or map.lhs == "g?"
      assert(is_help or listed:find(map.lhs:lower(), 1, true), map.lhs .. " is not in\n" .. listed)
    end
    press("q")
    same(#floats(), 0)
  end
  for _, map in ipairs(vim.api.nvim_get_keymap("n")) do
    local is_ours = (map.rhs or ""):find("Specloom") or (map.desc or ""):find("Specloom")
    assert(not is_ours or vim.startswith(map.lhs, "<Plug>"), map.lhs .. " is mapped everywhere")
  end
end

function cases.folds_of_the_output_open_and_close_by_za()
  begin()
  output()
  loopback.event("messageAdded", { sessionId = "s1", text = "one\ntwo\nthree" })
  loopback.settle()
  vim.fn.search("is told")
  for _, step in ipairs({ { "za", -1 }, { "za", vim.fn.line(".") }, { "zR", -1 }, { "zM", vim.fn.line(".") } }) do
    press(step[1])
    same({ step[1], vim.fn.foldclosed(".") }, step)
  end
  -- What the person opened stays open while more comes in.
  press("zo")
  loopback.event("taskFailed", { taskId = "01/1", reason = "no" })
  loopback.settle()
  same(vim.fn.foldclosed("."), -1)
end

function cases.options_are_checked_in_whatever_form_they_come()
  local config = require("specloom.config")
  local function problems(given)
    vim.g.specloom = given
    require("specloom").setup()
    return config.get().ask, config.problems
  end
  same({ problems({ ask = "never" }) }, { "never", {} })
  same({ problems(function()
    return { ask = "never" }
  end) }, { "never", {} })
  local ask, wrong = problems(function()
    error("no such thing")
  end)
  assert(ask == "when-idle" and wrong[1]:find("a function that failed: .*no such thing"), vim.inspect(wrong))
  ask, wrong = problems("never")
  assert(ask == "when-idle" and wrong[1]:find("must be a table, or a function that returns one, and is a string"))
  ask, wrong = problems({ ask = "sometimes" })
  assert(ask == "when-idle" and wrong[1]:find('^ask must be "when%-idle" or "never", and is "sometimes"'), wrong[1])
  local fine, why = pcall(require("specloom").setup, "never")
  assert(not fine and why:find("wants a table of options, or nothing; see :help specloom-options", 1, true), why)
  problems(nil)
end

function cases.a_check_explains_what_is_wrong_with_the_project()
  begin()
  vim.cmd.edit(root .. "/greet.py")
  written("twice/lua/specloom/init.lua", {})
  vim.opt.runtimepath:append(root .. "/twice")
  vim.cmd.cd("/")
  vim.o.autoread, vim.env.PATH, vim.env.VIRTUAL_ENV = false, "/usr/bin:/bin", nil
  connection.health, connection.projection.readOnly = { status = "error", message = "No API key: set one" }, true
  local function check()
    vim.cmd.checkhealth("specloom")
    local told = table.concat(lines(), " ")
    vim.cmd.bwipeout()
    return told
  end
  local told = check()
  for _, part in ipairs({
    "OK connected, at event %d+",
    "ERROR No API key: set one",
    "WARNING another process works on this project",
    "WARNING 'autoread' is off",
    "WARNING the plugin is on 'runtimepath' more than once: %S+, %S+/twice/lua/specloom/init.lua",
    "ERROR Specloom: no server: pipx install",
    "server for %S+/root ",
    "%$PATH: nothing %(not there%)",
    "~/.local/bin: %S+/.local/bin/specloom %(not there%)",
  }) do
    assert(told:find(part), part .. " is not in " .. told)
  end
  connection:become("gone", "killed by somebody")
  told = check()
  assert(
    told:find("ERROR not connected %(gone%): killed by somebody") and told:find(":Specloom restart", 1, true),
    told
  )
  connection:become("live")
  vim.opt.runtimepath:remove(root .. "/twice")
  vim.o.autoread, connection.health, connection.projection.readOnly = true, nil, false
end

function cases.output_that_is_opened_in_the_middle_of_an_answer_shows_all_of_it_once()
  vim.cmd("silent! %bwipeout!")
  local said, whole = { sessionId = "s1", block = "90.0", kind = "text" }, "I look at"
  local function say(text, members)
    loopback.output(vim.tbl_extend("error", said, { text = text }, members or {}))
  end
  local answers = loopback.answers["specloom/events/subscribe"]
  local since = connection.seq
  loopback.answers["specloom/events/subscribe"] = function(params)
    same(params.since, since)
    say(whole, { fromStart = true })
    return answers
  end
  local function shown()
    return #vim.tbl_filter(function(line)
      return line == whole
    end, lines())
  end
  say("look at")
  local opened = output()
  loopback.settle()
  same(shown(), 1)
  say(" it.")
  whole = whole .. " it."
  loopback.settle()
  same(shown(), 1)
  -- The connection breaks and comes back, and the client goes on behind what it heard.
  connection:subscribe()
  loopback.settle()
  same(shown(), 1)
  -- Another buffer of the same agent begins where nobody saw the start.
  vim.cmd.bwipeout({ opened.buf, bang = true })
  output()
  loopback.settle()
  same(shown(), 1)
  loopback.answers["specloom/events/subscribe"] = answers
end

cases()
