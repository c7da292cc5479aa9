-- What needs no server and no screen: folding, the lines of the tree, the blocks of the output. Each case fails alone.
package.path = vim.fs.dirname(debug.getinfo(1, "S").source:sub(2)) .. "/?.lua;" .. package.path
local loopback = require("loopback")
local cases = require("cases")
local board = require("specloom.tree.board")
local projection = require("specloom.projection")
local render = require("specloom.tree.render")
local streams = require("specloom.output.stream")
local words = require("specloom.words")

local seq = 0

local function event(kind, members)
  seq = seq + 1
  return vim.tbl_extend("force", { seq = seq, at = "2026-11-21T10:00:00Z", type = kind, projectId = "p1" }, members)
end

local same = loopback.same

local function project(specs, each)
  seq = 0
  return projection.new(loopback.project(specs, each, "/project"))
end

function cases.a_follower_gets_ready_when_the_last_of_its_tasks_is_done_or_skipped()
  local p = loopback.project(1, 3, "/project")
  p.tasks[3].dependsOn = { "01/1", "01/2" }
  p.tasks[2].dependsOn, p.tasks[2].state = {}, "ready"
  seq, p = 0, projection.new(p)
  projection.fold(p, event("taskDone", { taskId = "01/1", proven = true, evidence = {} }))
  same(p.tasks["01/3"].state, "pending")
  local change = projection.fold(p, event("taskSkipped", { taskId = "01/2", reason = "not now" }))
  same(p.tasks["01/3"].state, "ready")
  same(change.ids["01/3"], true)
  projection.fold(p, event("taskReset", { taskId = "01/1" }))
  same(p.tasks["01/3"].state, "pending")
  same(p.counts, { total = 3, done = 0, skipped = 1, failed = 0, blocked = 0, pending = 2 })
end

function cases.a_group_of_tasks_opens_with_its_last_member()
  local p = loopback.project(1, 4, "/project")
  for number = 1, 3 do
    p.tasks[number].dependsOn, p.tasks[number].state = {}, "ready"
  end
  p.tasks[4].dependsOn, p.tasks[4].dependsOnGroups = {}, { "g1" }
  p.dependencyGroups = {
    { id = "g1", taskIds = { "01/1" }, groups = { "g2" } },
    { id = "g2", taskIds = { "01/2", "01/3" }, groups = {} },
  }
  seq, p = 0, projection.new(p)
  for number = 1, 3 do
    same(p.tasks["01/4"].state, "pending")
    projection.fold(p, event("taskDone", { taskId = "01/" .. number, proven = true, evidence = {} }))
  end
  same(p.tasks["01/4"].state, "ready")
end

function cases.an_event_that_the_snapshot_holds_already_changes_nothing()
  local p = project(1, 1)
  p.seq = 7
  local old = event("taskFailed", { taskId = "01/1", reason = "x" })
  old.seq = 7
  same(projection.fold(p, old), { ids = {}, top = false, shape = false, again = false })
  same(p.tasks["01/1"].state, "ready")
end

function cases.documents_that_were_read_again_ask_for_a_snapshot_and_unknown_events_for_nothing()
  local p = project(1, 1)
  same(projection.fold(p, event("specRead", { specId = "01" })).again, true)
  same(projection.fold(p, event("specRead", { specId = "01", boxesOnly = true })).again, false)
  same(projection.fold(p, event("inventedLater", {})), { ids = {}, top = false, shape = false, again = false })
  same(p.seq, 3)
end

---What a fresh drawing of the whole would be.
local function drawn(p, view)
  return vim.tbl_map(function(node)
    return (render.line(p, node, view))
  end, render.nodes(p, view))
end

function cases.lines_kept_by_difference_are_those_of_a_fresh_drawing()
  math.randomseed(20261121)
  local p = project(4, 6)
  local view = { width = 50, now = 1795255200, closed = {}, plain = false }
  local buf = vim.api.nvim_create_buf(false, true)
  local shown = board.new(buf, view)
  shown:renew(p)
  local kinds =
    { "taskStarted", "taskDone", "taskFailed", "taskBlocked", "taskSkipped", "taskReset", "taskRetried", "proofStale" }
  for round = 1, 400 do
    local id = ("%02d/%d"):format(math.random(4), math.random(6))
    local members = { taskId = id, reason = "because " .. round, number = 1, proven = true, evidence = {} }
    members.paths, members.requirements = round % 2 == 0 and { "a.py" } or {}, { "R1" }
    members.agentId = "agent-1"
    local change = projection.fold(p, event(kinds[math.random(#kinds)], members))
    local of_task = change.ids
    if round % 7 == 0 then
      change = projection.fold(
        p,
        event(
          "approvalAsked",
          { approvalId = "q" .. round, kind = "command", subject = "ls", purpose = "", choices = {} }
        )
      )
    elseif round % 11 == 0 and #p.approvals > 0 then
      change = projection.fold(p, event("approvalAnswered", { approvalId = p.approvals[1].id }))
    end
    if round % 13 == 0 then
      local spec = "0" .. math.random(4)
      view.closed["spec " .. spec] = not view.closed["spec " .. spec] or nil
      change.shape, of_task[spec] = true, true
    end
    shown:change(p, of_task, change.shape)
    same(vim.api.nvim_buf_get_lines(buf, 0, -1, false), drawn(p, view))
  end
end

function cases.a_plan_that_goes_on_while_a_run_is_paused_is_told_as_being_at_work()
  local p = project(1, 1)
  local view = { width = 50, now = 1795255200, closed = {}, plain = false }
  local function agents()
    for _, line in ipairs(drawn(p, view)) do
      if line:find("Agents") then
        return line:match("%d [a-z ]*[a-z]")
      end
    end
  end
  projection.fold(
    p,
    event("runStarted", { runId = "r1", scope = { kind = "project" }, budget = {}, unattended = false })
  )
  projection.fold(p, event("runPaused", { runId = "r1", reason = "", cause = "other" }))
  projection.fold(p, event("planStarted", { planId = "p", path = "requirements.md", stage = "specs" }))
  projection.fold(
    p,
    event("sessionStarted", { sessionId = "s", agentId = "a", role = "planner", model = "m", number = 1 })
  )
  same(agents(), "1 at work")
  projection.fold(p, event("planFailed", { planId = "p", reason = "no answer" }))
  same(agents(), "1 paused")
end

function cases.time_passes_in_a_task_and_its_run_only_while_the_run_is_at_work()
  local p = project(1, 1)
  local began = words.seconds("2026-11-21T10:00:00Z")
  local function hear(after, kind, members)
    members.at, members.runId, members.taskId = os.date("!%Y-%m-%dT%H:%M:%SZ", began + after), "r1", "01/1"
    projection.fold(p, event(kind, members))
  end
  local function shown(after, what)
    for _, line in ipairs(drawn(p, { width = 90, now = began + after, closed = {}, plain = false })) do
      if line:find(what) then
        return line:match(" %d+s%f[^%w]")
      end
    end
  end
  hear(0, "runStarted", { scope = { kind = "project" }, budget = {}, unattended = false })
  hear(10, "taskStarted", { number = 1, agentId = "a" })
  hear(10, "sessionStarted", { sessionId = "s", agentId = "a", role = "executor", model = "m", number = 1 })
  same({ shown(30, "Build"), shown(30, "session 1"), shown(30, "greeter") }, { " 20s", " 20s", " 30s" })
  hear(40, "runPaused", { reason = "", cause = "other" })
  same({ shown(40, "Build"), shown(4000, "Build"), shown(4000, "greeter") }, { " 30s", " 30s", " 40s" })
  hear(4000, "runResumed", {})
  same({ shown(4000, "Build"), shown(4005, "Build"), shown(4005, "greeter") }, { " 30s", " 35s", " 45s" })
  same(shown(4005, "session 1"), " 35s")
  hear(4010, "attemptFailed", {})
  hear(4050, "taskStarted", { number = 2, agentId = "a" })
  same(shown(4051, "Build"), " 41s")
  hear(4060, "runPaused", { reason = "stopped", cause = "interrupted" })
  same(shown(90000, "Build"), " 40s")
end

function cases.a_daemon_of_before_that_tells_no_time_of_work_is_shown_without()
  local told = loopback.project(1, 1, "/project")
  told.work, told.tasks[1].worked = nil, nil
  local p = projection.new(told)
  seq = 0
  projection.fold(p, event("taskStarted", { taskId = "01/1", number = 1, agentId = "a" }))
  local lines = table.concat(drawn(p, { width = 90, now = 1795255200, closed = {}, plain = false }), "\n")
  same(lines:match("Build.*attempt 1 · 0s") ~= nil, true)
end

function cases.every_line_has_the_width_of_the_window_or_less()
  local p = project(2, 3)
  p.tasks["01/1"].title = "Prüfe die Längen: 漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字"
  projection.fold(
    p,
    event("taskFailed", { taskId = "01/2", reason = "a reason that is longer than any window would be\nand more" })
  )
  for _, plain in ipairs({ true, false }) do
    for width = 20, 90, 7 do
      for _, line in ipairs(drawn(p, { width = width, now = 0, closed = {}, plain = plain })) do
        assert(vim.fn.strdisplaywidth(line) <= width, ("%q is wider than %d"):format(line, width))
        for name, sign in pairs(words.SIGNS) do
          local looks_alike = name == "pending" or name == "skipped"
          assert(
            not plain or looks_alike or name == "waiting" or not line:find(sign[1], 1, true),
            "not plain: " .. line
          )
        end
      end
    end
  end
end

function cases.a_plan_shows_while_it_runs_and_why_it_failed()
  local p = project(0, 0)
  local view = { width = 60, now = 0, closed = {}, plain = false }
  same(drawn(p, view)[2], "No specs yet: r plans them")
  projection.fold(p, event("planStarted", { planId = "plan-1", path = "requirements.md", stage = "specs" }))
  projection.fold(
    p,
    event("specGenerating", { planId = "plan-1", specId = "01", path = "specs/01-a.md", stage = "specs" })
  )
  assert(drawn(p, view)[2]:find("^▶ planning specs +specs/01%-a%.md$"), drawn(p, view)[2])
  projection.fold(p, event("planFailed", { planId = "plan-1", reason = "no key is set", problems = {} }))
  assert(drawn(p, view)[2]:find("^✗ plan failed +no key is set$"), drawn(p, view)[2])
  projection.fold(p, event("planStarted", { planId = "plan-2", path = "requirements.md", stage = "specs" }))
  projection.fold(p, event("planFinished", { planId = "plan-2", specIds = {} }))
  same(drawn(p, view)[2], "No specs yet: r plans them")
  projection.fold(p, event("planFinished", { planId = "plan-2", specIds = { "01" } }))
  same(#drawn(p, view), 1)
end

function cases.times_and_sums_read_as_people_write_them()
  same(words.seconds("2026-11-21T10:00:00.500Z"), 1795255200.5)
  same(words.seconds("2024-02-29T00:00:00Z"), 1709164800)
  same(words.span("2026-11-21T10:00:00Z", nil, 1795255200 + 200), "3m 20s")
  same(words.span(nil, nil, 0), nil)
  same(words.duration(7500), "2h 05m")
  same(words.money({ costUsd = 0.0042 }), "$0.0042")
  same(words.money({ costUsd = 1.5 }), "$1.50")
  same(words.money({}), nil)
  same(words.fit("漢字漢字", 5), "漢字…")
  -- A window that is narrow and breaks lines changes nothing.
  vim.wo.linebreak, vim.wo.breakindent, vim.wo.breakindentopt = true, true, "shift:3"
  same(words.width(("é "):rep(200)), 400)
end

-- The output of an agent

local function stream()
  seq = 0
  local made = streams.new("agent-1", {})
  made:event(event("sessionStarted", {
    sessionId = "s1",
    agentId = "agent-1",
    role = "executor",
    model = "m",
    taskId = "01/1",
    number = 1,
    because = "",
  }))
  return made
end

local function said(made, kind, blocks, text)
  made:output({ sessionId = "s1", block = blocks, kind = kind, name = "", text = text, dropped = 0 })
end

local function texts(made, kind)
  local rows = {}
  for _, item in ipairs(made.blocks) do
    for _, row in ipairs((not kind or item.kind == kind) and item.rows or {}) do
      rows[#rows + 1] = row.text
    end
  end
  return rows
end

local function turn(number, text, thinking)
  local members = { sessionId = "s1", turn = number, text = text, thinking = thinking or "", stop = "end_turn" }
  return event("turnFinished", members)
end

function cases.pieces_join_into_lines_and_the_whole_block_changes_nothing_of_them()
  local made = stream()
  for _, piece in ipairs({ "I lo", "ok\nand", " then I wr", "ite\n", "" }) do
    said(made, "text", "1.0", piece)
  end
  same(texts(made, "text"), { "I look", "and then I write", "" })
  local rows = made.by_key["s1 1.0"].rows
  made:event(turn(1, "I look\nand then I write\n"))
  assert(made.by_key["s1 1.0"].rows == rows, "written anew though nothing was lost")
end

function cases.what_was_lost_on_the_way_is_put_right_by_the_finished_block()
  local made = stream()
  said(made, "text", "1.0", "I lo")
  made:output({ sessionId = "s1", block = "1.0", kind = "text", name = "", text = "rite", dropped = 12 })
  same(texts(made, "text"), { "I lo", "[12 characters left out]", "rite" })
  made:event(turn(1, "I look and write"))
  same(texts(made, "text"), { "I look and write" })
  local cut = { sessionId = "s1", turn = 2, fault = "interrupted", message = "it was cut off by a pause" }
  made:event(event("turnFailed", cut))
  same(texts(made, "note")[2], "turn 2: it was cut off by a pause")
end

function cases.a_block_that_is_told_from_its_start_stands_here_once_however_much_of_it_did()
  for _, shown in ipairs({ "", "I lo", "I look\nand then", "I l0", "I look\nand then I write\nand what was lost" }) do
    local made = stream()
    local function whole(kind, block, text, dropped)
      local members = { sessionId = "s1", block = block, kind = kind, name = "read_file", text = text }
      made:output(vim.tbl_extend("error", members, { dropped = dropped or 0, fromStart = true }))
    end
    if shown ~= "" then
      whole("thinking", "1.0", "Where")
      whole("text", "1.1", shown)
      whole("tool_input", "1.2", '{"path":"b')
    end
    whole("thinking", "1.0", "Where is it?\nThere.")
    whole("text", "1.1", "I look\nand then")
    whole("tool_input", "1.2", '{"path":"a.py"')
    said(made, "text", "1.1", " I write")
    same(texts(made, "text"), { "I look", "and then I write" })
    same(texts(made, "thinking"), { "▸ thinking · 2 lines", "  Where is it?", "  There." })
    same(texts(made, "tool_input"), { "▶ read_file  a.py" })
    whole("text", "1.1", "the end", 90)
    same(texts(made, "text"), { "", "[90 characters left out]", "the end" })
  end
end

function cases.what_stays_what_it_was_is_not_drawn_anew()
  local made = stream()
  said(made, "text", "1.0", "one\ntwo\nth")
  local found = made.by_key["s1 1.0"]
  found.from = #found.rows + 1
  found:replace("one\ntwo\nthree\nfour")
  same(found.from, 3)
end

function cases.pieces_behind_the_event_that_told_all_of_them_change_nothing()
  local made = stream()
  said(made, "text", "1.1", "I lo")
  made:event(turn(1, "I look", "Where is it?"))
  made:event(
    event("toolRequested", { sessionId = "s1", callId = "c1", name = "run_command", input = '{"command":"ls"}' })
  )
  made:event(
    event("toolSettled", { sessionId = "s1", callId = "c1", name = "run_command", isError = false, text = "" })
  )
  said(made, "text", "1.1", "ok")
  said(made, "tool_input", "1.2", '{"command":"ls"}')
  said(made, "command", "c1", "a.py\n")
  said(made, "thinking", "1.0", "Where")
  same(texts(made), {
    "── executor · 01/1 · m ──",
    "▸ thinking · 1 line",
    "  Where is it?",
    "",
    "I look",
    "✓ run_command  ls",
  })
end

function cases.a_question_shows_its_answer()
  local made = stream()
  made:event(event("approvalAsked", {
    approvalId = "q1",
    agentId = "agent-1",
    kind = "command",
    subject = "ls",
    purpose = "runs a command",
    choices = {},
  }))
  made:event(event("approvalAnswered", { approvalId = "q1", allowed = true }))
  made:event(event("approvalAnswered", { approvalId = "q2", allowed = true }))
  same(texts(made, "note")[2], "? runs a command · allowed")
end

function cases.a_turn_that_is_asked_again_begins_anew()
  local made = stream()
  said(made, "text", "1.0", "half a sen")
  made:event(event("turnRequested", { sessionId = "s1", turn = 1, attemptNo = 2 }))
  same(texts(made, "text"), {})
  said(made, "text", "1.0", "whole")
  same(texts(made, "text"), { "whole" })
end

function cases.a_call_shows_its_output_while_it_runs_and_folds_it_away_then()
  local made = stream()
  said(made, "tool_input", "1.1", '{"command": "make te')
  made:event(turn(1, ""))
  made:event(
    event("toolRequested", { sessionId = "s1", callId = "c1", name = "run_command", input = '{"command":"make test"}' })
  )
  said(made, "command", "c1", "one\ntwo\n")
  same(texts(made, "tool"), { "▶ run_command  make test", "  one", "  two", "  " })
  same(made.by_key["s1 c1"].rows[2].level, "0")
  made:event(
    event(
      "toolSettled",
      { sessionId = "s1", callId = "c1", name = "run_command", isError = false, text = "one\ntwo\n" }
    )
  )
  same(texts(made, "tool"), { "▸ ✓ run_command  make test · 2 lines", "  one", "  two" })
  same({ made.by_key["s1 c1"].rows[1].level, made.by_key["s1 c1"].rows[2].level }, { ">1", "1" })
end

function cases.an_edit_shows_as_the_diff_that_was_made_and_knows_its_lines()
  local made = stream()
  local input = vim.json.encode({ path = "a.py", edits = { { start_line = 4, start_text = "x", new_text = "z\nw" } } })
  made:event(event("toolRequested", { sessionId = "s1", callId = "c1", name = "edit_file", input = input }))
  local diff = "@@ -4,2 +5,2 @@\n-x\n-y\n+z\n+w\n\\ 3 more places"
  made:event(event("editSettled", { agentId = "agent-1", path = "a.py", applied = true, reason = "", diff = diff }))
  made:event(
    event("toolSettled", { sessionId = "s1", callId = "c1", name = "edit_file", isError = false, text = "made" })
  )
  same(
    texts(made, "tool"),
    { "✓ edit_file  a.py", "  @@ -4,2 +5,2 @@", "  - x", "  - y", "  + z", "  + w", "  … 3 more places" }
  )
  local row = made.by_key["s1 c1"].rows[6]
  same({ row.path, row.line, row.spans[1][3] }, { "a.py", 6, "SpecloomAdded" })
end

function cases.an_input_that_was_cut_on_its_way_still_names_its_file()
  local made = stream()
  made:event(event("toolRequested", {
    sessionId = "s1",
    callId = "c1",
    name = "write_file",
    input = '{"path":"b.py","content":"1\n[9 characters left out]',
  }))
  same(texts(made, "tool"), { "▶ write_file  b.py" })
end

function cases.a_failed_proof_shows_what_it_said_and_a_good_one_folds_it()
  local made = stream()
  for number, status in ipairs({ 1, 0 }) do
    local id = "k" .. number
    made:event(event("checkRequested", { taskId = "01/1", checkId = id, phase = "after", command = "make test" }))
    made:event(event("checkSettled", {
      taskId = "01/1",
      checkId = id,
      exitCode = status,
      output = "said\n",
      durationS = 0.5,
      timedOut = false,
      note = "",
    }))
  end
  same(
    texts(made, "check"),
    { "✗ verify  make test · exit 1 · 0.5s", "  said", "▸ ✓ verify  make test · exit 0 · 0.5s", "  said" }
  )
  same(made.by_key["check k1"].rows[2].level, "0")
  same(made.by_key["check k2"].rows[2].level, "1")
end

function cases.another_agent_is_not_heard()
  local made = stream()
  made:event(event("sessionStarted", {
    sessionId = "s2",
    agentId = "agent-2",
    role = "executor",
    model = "m",
    taskId = "01/2",
    number = 1,
    because = "",
  }))
  made:output({ sessionId = "s2", block = "1.0", kind = "text", name = "", text = "no", dropped = 0 })
  made:event(event("taskDone", { taskId = "01/2", proven = true, evidence = {} }))
  same(texts(made), { "── executor · 01/1 · m ──" })
end

function cases.old_output_is_given_up_and_the_newest_stays()
  local made = stream()
  for number = 1, 40 do
    said(made, "text", number .. ".0", ("line %d\n"):format(number):rep(400))
    made:bound()
  end
  local rows = texts(made)
  assert(#rows <= streams.MOST_ROWS, #rows .. " rows")
  assert(made.dropped > 0)
  same(rows[#rows - 1], "line 40")
end

function cases.a_command_that_prints_without_end_is_bounded_too()
  local made = stream()
  made:event(
    event("toolRequested", { sessionId = "s1", callId = "c1", name = "run_command", input = '{"command":"yes"}' })
  )
  for number = 1, 300 do
    said(made, "command", "c1", ("%d\n"):format(number):rep(50))
  end
  local rows = texts(made, "tool")
  assert(#rows <= 2001, #rows .. " rows")
  same(rows[1], "▶ run_command  yes")
  assert(rows[2]:find("lines left out"), rows[2])
  same(rows[#rows - 1], "  300")
end

function cases.a_line_without_end_is_broken_and_loses_nothing()
  local made = stream()
  for _ = 1, 4000 do
    said(made, "text", "1.0", "0123456789")
  end
  local rows = texts(made, "text")
  assert(#rows > 1 and #rows < 20, #rows .. " rows")
  same(#table.concat(rows), 40000)
end

cases()
