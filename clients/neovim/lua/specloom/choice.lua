--- Choices and words that are asked for, and can be taken back: by the person's own `vim.ui` where there is one, else in
--- a small window. Refuses to wait: Neovim's own list stops everything else, also the agent's edits, until it is answered.
local M = {}

---@param what function
local function is_stock(what)
  return require("specloom.tell").is_stock(what)
end

--- Asks by a function that shows windows of its own. Those have a line for what is asked, at most; where there is more
--- to read before an answer, it stands above them in full.
---@param text string
---@param show fun(done: fun(value: any), line: string)
---@param answer fun(value: any)
---@return fun() withdraw
local function shown_by(text, show, answer)
  local before, open, above = vim.api.nvim_list_wins(), true, nil
  local function done(value)
    if open then
      open = false
      pcall(vim.api.nvim_win_close, above or -1, true)
      answer(value)
    end
  end
  vim.schedule(function()
    if not open then
      return
    elseif text:find("\n") then
      local lines = vim.split(" " .. text:gsub("\n", "\n "), "\n")
      above = select(2, require("specloom.page").float(lines, { title = " Specloom asks " }, true))
    end
    show(done, (text:gsub("%s*\n%s*", " ")))
  end)
  return function()
    for _, window in ipairs(open and vim.api.nvim_list_wins() or {}) do
      -- Whatever shows it came with it, and floats.
      if not vim.list_contains(before, window) and vim.api.nvim_win_get_config(window).relative ~= "" then
        pcall(vim.api.nvim_win_close, window, true)
      end
    end
    open = false
  end
end

---@param items string[]
---@param title string
---@param text string[]
---@return integer buf
---@return integer window
local function opened(items, title, text)
  local lines = vim.list_slice(text)
  for number, item in ipairs(items) do
    lines[#lines + 1] = ("%d  %s"):format(number, (item:gsub("\n", " ⏎ ")))
  end
  for number, line in ipairs(lines) do
    lines[number] = line == "" and "" or " " .. line
  end
  local footer = (" 1-%d or <CR>   q %s "):format(#items, #text > 0 and "later" or "closes")
  local buf, window = require("specloom.page").float(lines, { title = (" %s "):format(title), footer = footer })
  vim.wo[window].cursorline = true
  -- What does not fit is read from its start, before an answer is at hand.
  local fits = vim.api.nvim_win_text_height(window, {}).all <= vim.api.nvim_win_get_height(window)
  vim.api.nvim_win_set_cursor(window, { fits and #text + 1 or 1, 1 })
  local space = vim.api.nvim_create_namespace("specloom.choice")
  -- Who asks and why is quiet; what a yes allows is not.
  for line = 1, vim.fn.index(text, "") do
    vim.api.nvim_buf_set_extmark(buf, space, line - 1, 0, { line_hl_group = "Comment" })
  end
  for number = 1, #items do
    local digits = { end_col = 1 + #tostring(number), hl_group = "Number" }
    vim.api.nvim_buf_set_extmark(buf, space, #text + number - 1, 1, digits)
  end
  return buf, window
end

--- In a window of its own.
---@param items string[]
---@param title string
---@param text string[]
---@param answer fun(index: integer?)
---@return fun() withdraw
local function in_window(items, title, text, answer)
  local buf, window = opened(items, title, text)
  local open = true
  local function settle(index)
    if open then
      open = false
      pcall(vim.api.nvim_win_close, window, true)
      answer(index)
    end
  end
  local function map(key, index)
    vim.keymap.set("n", key, function()
      local chosen = index or vim.api.nvim_win_get_cursor(window)[1] - #text
      if items[chosen] then
        settle(chosen)
      end
    end, { buffer = buf, nowait = true })
  end
  for number = 1, math.min(9, #items) do
    map(tostring(number), number)
  end
  map("<CR>")
  vim.api.nvim_create_autocmd("BufWipeout", {
    buffer = buf,
    callback = vim.schedule_wrap(function()
      settle(nil)
    end),
  })
  return function()
    open = false
    pcall(vim.api.nvim_win_close, window, true)
  end
end

--- Puts a choice; the answer is nil where the person put it off.
---@param items string[]
---@param title string
---@param text string what it is about, or nothing
---@param answer fun(index: integer?)
---@return fun() withdraw closes it without an answer
function M.select(items, title, text, answer)
  if is_stock(vim.ui.select) then
    return in_window(items, title, text ~= "" and vim.split(text .. "\n", "\n") or {}, answer)
  end
  return shown_by(text ~= "" and text or title, function(done, line)
    vim.ui.select(items, { prompt = line, kind = "specloom" }, function(_, index)
      done(index)
    end)
  end, answer)
end

--- Asks for words; the answer is nil where the person put it off.
---@param prompt string
---@param answer fun(text: string?)
---@return fun() withdraw
function M.input(prompt, answer)
  local stock = is_stock(vim.ui.input)
  local close = shown_by(stock and "" or prompt, function(done, line)
    vim.ui.input({ prompt = stock and prompt .. "\n> " or line }, done)
  end, answer)
  return function()
    close()
    -- Neovim's own line of input is left as by hand.
    if stock and vim.api.nvim_get_mode().mode:find("^c") then
      vim.api.nvim_input("<C-c>")
    end
  end
end

return M
