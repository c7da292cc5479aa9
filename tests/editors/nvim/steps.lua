-- What a person does and sees, for the stories. Every wait has a deadline, and a log on stdout says what happened.
local M = {}

local started = vim.uv.hrtime()
--- Milliseconds for a step: a server starts cold, beside others that do.
M.DEADLINE = 40000

---@type { message: string, choices: string[] }[]
M.questions = {}
---@type { kind: string, title?: string, message?: string, percentage?: integer }[]
M.progress = {}
---@type string[]
M.notes = {}

---What the person answers: the number of a choice, 0 for none.
---@param message string
---@param choices string[]
---@return integer
function M.answer(message, choices)
  error(("nobody expected the question %q (%s)"):format(message, table.concat(choices, ", ")))
end

---@param form string
function M.say(form, ...)
  local text = select("#", ...) > 0 and form:format(...) or form
  io.stdout:write(("%6d ms  %s\n"):format((vim.uv.hrtime() - started) / 1e6, text))
  io.stdout:flush()
end

---Waits for a condition, and fails with what could be seen meanwhile.
---@param what string
---@param condition fun(): any
---@return any value of the condition
function M.wait(what, condition)
  local value
  local met = vim.wait(M.DEADLINE, function()
    value = condition()
    return value
  end, 10)
  if not met then
    error("not within the deadline: " .. what, 2)
  end
  M.say("saw %s", what)
  return value
end

---Says what is in sight, for the log of a story that failed.
function M.describe()
  for _, buf in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_get_name(buf) ~= "" then
      M.say("buffer %s, modified %s:\n%s", M.name(buf), tostring(vim.bo[buf].modified), M.text(buf))
      for _, found in ipairs(vim.diagnostic.get(buf)) do
        M.say("diagnostic at line %d: %s", found.lnum + 1, found.message)
      end
    end
  end
  M.say("progress: %s", vim.inspect(M.progress))
  M.say("notes: %s", vim.inspect(M.notes))
end

---Asks the test to let an answer of the scripted model go on.
---@param gate string
function M.release(gate)
  io.stdout:write("release ", gate, "\n")
  io.stdout:flush()
end

---@param buf integer
function M.name(buf)
  return vim.fs.basename(vim.api.nvim_buf_get_name(buf))
end

---@param buf integer
function M.text(buf)
  return table.concat(vim.api.nvim_buf_get_lines(buf, 0, -1, false), "\n") .. "\n"
end

---A file on disk; empty while there is none.
---@param path string from the root
function M.disk(path)
  if not vim.uv.fs_stat(vim.env.STORY_ROOT .. "/" .. path) then
    return ""
  end
  return table.concat(vim.fn.readfile(vim.env.STORY_ROOT .. "/" .. path), "\n") .. "\n"
end

---Opens a file in the window and waits for the server.
---@param path string from the root
---@return integer buf
function M.edit(path)
  vim.cmd.edit(vim.env.STORY_ROOT .. "/" .. path)
  local buf = vim.api.nvim_get_current_buf()
  M.wait(path .. " attached", function()
    return M.client(buf)
  end)
  return buf
end

---@param buf integer
---@return vim.lsp.Client?
function M.client(buf)
  local client = vim.lsp.get_clients({ bufnr = buf, name = "specloom" })[1]
  return client and client.initialized and client or nil
end

---The line, from 0, on which a text stands first.
---@param buf integer
---@param text string
function M.line_of(buf, text)
  for number, line in ipairs(vim.api.nvim_buf_get_lines(buf, 0, -1, false)) do
    if line:find(text, 1, true) then
      return number - 1
    end
  end
  error(("%q stands nowhere in %s"):format(text, M.name(buf)), 2)
end

---Puts the cursor on the line with this text.
---@param buf integer
---@param text string
function M.go(buf, text)
  vim.api.nvim_set_current_buf(buf)
  vim.api.nvim_win_set_cursor(0, { M.line_of(buf, text) + 1, 0 })
end

---Types a line above the line with this text.
---@param buf integer
---@param text string
---@param typed string
function M.type_above(buf, text, typed)
  M.go(buf, text)
  vim.cmd.normal({ "O" .. typed, bang = true })
  -- Neovim ends an undo step where it waits for a key, which a script never does.
  vim.bo[buf].undolevels = vim.bo[buf].undolevels
end

---Runs the code action of that title on the line with this text, as a mapping of a person would.
---@param buf integer
---@param text string
---@param title string
function M.act(buf, text, title)
  M.go(buf, text)
  M.say("code action %q on %q", title, text)
  vim.lsp.buf.code_action({
    filter = function(action)
      return action.title == title
    end,
    apply = true,
  })
end

---The titles of the code lenses on the line with this text.
---@param buf integer
---@param text string
---@return string[]
function M.lenses(buf, text)
  local newest = vim.fn.has("nvim-0.12") == 1
  local line, titles = M.line_of(buf, text), {}
  for _, found in ipairs(vim.lsp.codelens.get(newest and { bufnr = buf } or buf)) do
    local lens = found.lens or found
    if lens.range.start.line == line then
      titles[#titles + 1] = lens.command.title
    end
  end
  return titles
end

---Waits for a lens; older Neovims are told nothing of changes and look again when the cursor rests.
---@param buf integer
---@param text string
---@param title string
function M.wait_for_lens(buf, text, title)
  M.wait(("lens %q on %q"):format(title, text), function()
    if vim.tbl_contains(M.lenses(buf, text), title) then
      return true
    end
    vim.api.nvim_exec_autocmds("CursorHold", { buffer = buf })
    return false
  end)
end

---The first diagnostic on the line with this text whose message has this part.
---@param buf integer
---@param text string
---@param part string
---@return vim.Diagnostic?
function M.diagnostic(buf, text, part)
  for _, found in ipairs(vim.diagnostic.get(buf, { lnum = M.line_of(buf, text) })) do
    if found.message:find(part, 1, true) then
      return found
    end
  end
end

---The text of the hover window on the line with this text, which is closed again.
---@param buf integer
---@param text string
---@return string
function M.hover(buf, text)
  M.go(buf, text)
  vim.lsp.buf.hover()
  local window = M.wait("a hover window", function()
    for _, window in ipairs(vim.api.nvim_list_wins()) do
      if vim.api.nvim_win_get_config(window).relative ~= "" then
        return window
      end
    end
  end)
  local shown = M.text(vim.api.nvim_win_get_buf(window))
  vim.api.nvim_win_close(window, true)
  return shown
end

---The number of the first question with this part, once it was put.
---@param part string
---@return { message: string, choices: string[] }
function M.asked(part)
  return M.wait(("the question %q"):format(part), function()
    for _, question in ipairs(M.questions) do
      if question.message:find(part, 1, true) then
        return question
      end
    end
  end)
end

---Stops the server as `:quit` does, and waits for its end.
---@param buf integer
function M.stop(buf)
  local client = assert(M.client(buf))
  if vim.fn.has("nvim-0.11") == 1 then
    client:stop()
  else
    client.stop() ---@diagnostic disable-line: missing-parameter
  end
  local status = M.wait("the end of the server", function()
    return vim.g.server_status
  end)
  assert(status == 0, "the server exited with " .. status)
end

---Plays a story; the exit status of Neovim is the verdict.
---@param story fun()
function M.play(story)
  local fine, message = xpcall(story, debug.traceback)
  if not fine then
    M.describe()
    M.say("FAILED %s", message)
    os.exit(1)
  end
  M.say("PASSED with %s", tostring(vim.version()))
end

-- Both versions put questions through `vim.ui.select`, whose default asks here.
vim.fn.inputlist = function(lines)
  local message, choices = lines[1], vim.list_slice(lines, 2)
  M.questions[#M.questions + 1] = { message = message, choices = choices }
  M.say("asked %q: %s", message, table.concat(choices, ", "))
  local number = M.answer(message, choices)
  M.say("answered %d", number)
  return number
end

local notify = vim.notify
vim.notify = function(message, level, options)
  M.notes[#M.notes + 1] = message
  M.say("notified: %s", message)
  return notify(message, level, options)
end

vim.api.nvim_create_autocmd("LspProgress", {
  callback = function(event)
    local value = event.data.params.value
    M.progress[#M.progress + 1] = value
    M.say("progress %s: %s %s%%", value.kind, value.title or value.message or "", tostring(value.percentage))
  end,
})

return M
