--- A choice that can be taken back: the person's own `vim.ui.select` where there is one, else a small window.
--- Refuses to wait: Neovim's own list stops everything else, also the agent's edits, until it is answered.
local M = {}

---@class specloom.Choosing
---@field withdraw fun() closes it without an answer

---@param items string[]
---@param text string[]
---@return integer buf
local function written(items, text)
  local lines = vim.tbl_map(function(line)
    return line == "" and "" or " " .. line
  end, text)
  lines[#lines + 1] = ""
  for number, item in ipairs(items) do
    lines[#lines + 1] = (" %d  %s"):format(number, (item:gsub("\n", " ⏎ ")))
  end
  local buf = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_lines(buf, 0, -1, false, lines)
  vim.bo[buf].modifiable, vim.bo[buf].bufhidden, vim.bo[buf].filetype = false, "wipe", "specloom-question"
  return buf
end

---@param buf integer
---@param items string[]
---@param text string[]
local function colour(buf, items, text)
  local namespace = vim.api.nvim_create_namespace("specloom.choice")
  -- Who asks and why is quiet; what a yes allows is not.
  for line = 1, #text do
    if text[line] == "" then
      break
    end
    vim.api.nvim_buf_set_extmark(buf, namespace, line - 1, 0, { line_hl_group = "Comment" })
  end
  for number = 1, #items do
    local digits = { end_col = 1 + #tostring(number), hl_group = "Number" }
    vim.api.nvim_buf_set_extmark(buf, namespace, #text + number, 1, digits)
  end
end

---@param buf integer
---@param count integer
---@return integer window as high as its text, in the middle
local function opened(buf, count)
  local width = math.max(20, math.min(92, vim.o.columns - 8))
  local place = { relative = "editor", width = width, height = 1, row = 0 }
  place.col = math.floor((vim.o.columns - width) / 2)
  local frame = { style = "minimal", border = "rounded", title = " Specloom asks ", title_pos = "center" }
  frame.footer, frame.footer_pos = (" 1-%d or <CR> answers   q later "):format(count), "center"
  local window = vim.api.nvim_open_win(buf, true, vim.tbl_extend("error", place, frame))
  local wo = vim.wo[window]
  wo.cursorline, wo.wrap, wo.linebreak, wo.breakindent, wo.breakindentopt = true, true, true, true, "shift:3"
  place.height = math.max(1, math.min(vim.api.nvim_win_text_height(window, {}).all, vim.o.lines - 6))
  place.row = math.max(0, math.floor((vim.o.lines - place.height) / 2) - 1)
  vim.api.nvim_win_set_config(window, place)
  return window
end

---@param buf integer
---@param window integer
---@param items string[]
---@param above integer lines before the first item
---@param settle fun(choice: string?)
local function map(buf, window, items, above, settle)
  local function key(lhs, choice)
    vim.keymap.set("n", lhs, function()
      settle(choice and choice())
    end, { buffer = buf, nowait = true })
  end
  for number = 1, math.min(9, #items) do
    key(tostring(number), function()
      return items[number]
    end)
  end
  vim.keymap.set("n", "<CR>", function()
    local item = items[vim.api.nvim_win_get_cursor(window)[1] - above]
    if item then
      settle(item)
    end
  end, { buffer = buf, nowait = true })
  for _, lhs in ipairs({ "q", "<Esc>", "<C-c>" }) do
    key(lhs)
  end
end

---@param items string[]
---@param prompt string
---@param answer fun(choice: string?)
---@return fun() close
local function own_window(items, prompt, answer)
  local text = vim.split(prompt, "\n")
  local back = vim.api.nvim_get_current_win()
  local buf = written(items, text)
  colour(buf, items, text)
  local window = opened(buf, #items)
  vim.api.nvim_win_set_cursor(window, { #text + 2, 1 })
  local settled = false
  local function settle(choice, silent)
    if settled then
      return
    end
    settled = true
    if vim.api.nvim_win_is_valid(window) then
      vim.api.nvim_win_close(window, true)
    end
    if vim.api.nvim_win_is_valid(back) then
      vim.api.nvim_set_current_win(back)
    end
    if not silent then
      answer(choice)
    end
  end
  map(buf, window, items, #text + 1, settle)
  local left = vim.schedule_wrap(function()
    settle(nil)
  end)
  vim.api.nvim_create_autocmd({ "WinLeave", "BufWipeout" }, { buffer = buf, once = true, callback = left })
  return function()
    settle(nil, true)
  end
end

--- Puts a choice; the answer is nil where the person put it off.
---@param items string[]
---@param prompt string
---@param answer fun(choice: string?)
---@return specloom.Choosing
function M.put(items, prompt, answer)
  if require("specloom.tell").is_stock(vim.ui.select) then
    return { withdraw = own_window(items, prompt, answer) }
  end
  local before, settled = {}, false
  for _, window in ipairs(vim.api.nvim_list_wins()) do
    before[window] = true
  end
  vim.ui.select(items, { prompt = prompt, kind = "specloom" }, function(choice)
    if not settled then
      settled = true
      answer(choice)
    end
  end)
  return {
    withdraw = function()
      if settled then
        return
      end
      settled = true
      for _, window in ipairs(vim.api.nvim_list_wins()) do
        -- Whatever shows it came with it, and floats.
        if not before[window] and vim.api.nvim_win_get_config(window).relative ~= "" then
          pcall(vim.api.nvim_win_close, window, true)
        end
      end
    end,
  }
end

return M
