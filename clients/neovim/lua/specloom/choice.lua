--- A choice that can be taken back: the person's own `vim.ui.select` where there is one, else a small window.
--- Refuses to wait: Neovim's own list stops everything else, also the agent's edits, until it is answered.
local M = {}

---@class specloom.Choosing
---@field withdraw fun() closes it without an answer

---@param items string[]
---@param prompt string
---@param answer fun(choice: string?)
---@return fun() close
local function own_window(items, prompt, answer)
  local text = vim.split(prompt, "\n")
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
  local namespace = vim.api.nvim_create_namespace("specloom.choice")
  -- Who asks and why is quiet; what a yes allows is not.
  for line = 1, #text do
    if text[line] == "" then
      break
    end
    vim.api.nvim_buf_set_extmark(buf, namespace, line - 1, 0, { line_hl_group = "Comment" })
  end
  for number = 1, #items do
    vim.api.nvim_buf_set_extmark(
      buf,
      namespace,
      #text + number,
      1,
      { end_col = 1 + #tostring(number), hl_group = "Number" }
    )
  end
  local back = vim.api.nvim_get_current_win()
  local width = math.max(20, math.min(92, vim.o.columns - 8))
  local col = math.floor((vim.o.columns - width) / 2)
  local window = vim.api.nvim_open_win(buf, true, {
    relative = "editor",
    width = width,
    height = 1,
    row = 0,
    col = col,
    style = "minimal",
    border = "rounded",
    title = " Specloom asks ",
    title_pos = "center",
    footer = " 1-" .. #items .. " or <CR> answers   q later ",
    footer_pos = "center",
  })
  local wo = vim.wo[window]
  wo.cursorline, wo.wrap, wo.linebreak, wo.breakindent, wo.breakindentopt = true, true, true, true, "shift:3"
  local height = math.max(1, math.min(vim.api.nvim_win_text_height(window, {}).all, vim.o.lines - 6))
  local row = math.max(0, math.floor((vim.o.lines - height) / 2) - 1)
  vim.api.nvim_win_set_config(window, { relative = "editor", height = height, width = width, row = row, col = col })
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
  local function key(lhs, action)
    vim.keymap.set("n", lhs, action, { buffer = buf, nowait = true })
  end
  for number, item in ipairs(items) do
    if number < 10 then
      key(tostring(number), function()
        settle(item)
      end)
    end
  end
  key("<CR>", function()
    local item = items[vim.api.nvim_win_get_cursor(window)[1] - #text - 1]
    if item then
      settle(item)
    end
  end)
  for _, lhs in ipairs({ "q", "<Esc>", "<C-c>" }) do
    key(lhs, function()
      settle(nil)
    end)
  end
  vim.api.nvim_create_autocmd({ "WinLeave", "BufWipeout" }, {
    buffer = buf,
    once = true,
    callback = vim.schedule_wrap(function()
      settle(nil)
    end),
  })
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
