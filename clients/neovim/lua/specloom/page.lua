--- Windows of ours: with a text that is read and closed, below the others or in the middle, or with a view of a project.
--- Refuses changes by hand.
local M = {}

-- Columns that are still read with ease.
local WIDEST = 92

local BARE =
  { number = false, relativenumber = false, signcolumn = "no", foldcolumn = "0", list = false, spell = false }

---A buffer for a view of a project.
---@param name string
---@param connection specloom.Connection
---@return integer buf
function M.buffer(name, connection)
  local buf = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_name(buf, "specloom://" .. name)
  vim.bo[buf].modifiable, vim.bo[buf].undolevels = false, -1
  vim.b[buf].specloom_root = connection.root
  return buf
end

---Gives the current window options of its own.
---@param options table<string, any>
---@param statusline string
function M.dress(options, statusline)
  options = vim.tbl_extend("force", BARE, options, { statusline = " " .. statusline })
  for name, value in pairs(options) do
    vim.api.nvim_set_option_value(name, value, { scope = "local", win = 0 })
  end
  vim.opt_local.fillchars:append({ eob = " ", fold = " " })
end

---@param window integer
function M.close(window)
  -- The last window cannot be closed.
  if not pcall(vim.api.nvim_win_close, window, true) then
    vim.api.nvim_win_call(window, vim.cmd.enew)
  end
end

---@param buf integer
---@param lines string[]
---@param keys string[] that close it
local function fill(buf, lines, keys)
  vim.bo[buf].modifiable = true
  vim.api.nvim_buf_set_lines(buf, 0, -1, false, lines)
  vim.bo[buf].modifiable, vim.bo[buf].modified, vim.bo[buf].bufhidden = false, false, "wipe"
  for _, key in ipairs(keys) do
    vim.keymap.set("n", key, "<Cmd>close<CR>", { buffer = buf, nowait = true, desc = "Close" })
  end
end

--- Below the others; the same name reuses it, and `q` closes it.
---@param name string
---@param lines string[]
---@param filetype? string
function M.show(name, lines, filetype)
  local full = "specloom://" .. name
  local buf = vim.fn.bufnr("^" .. full .. "$")
  if buf == -1 then
    buf = vim.api.nvim_create_buf(false, true)
    vim.api.nvim_buf_set_name(buf, full)
    vim.bo[buf].filetype = filetype or "markdown"
  end
  fill(buf, lines, { "q" })
  if vim.fn.bufwinid(buf) == -1 then
    vim.cmd(("botright %dsplit"):format(math.min(#lines + 1, math.floor(vim.o.lines / 2))))
    vim.api.nvim_win_set_buf(0, buf)
  end
end

--- In the middle, as large as its text, wrapped at words; any way out of it closes it.
---@param lines string[]
---@param frame table title and footer
---@return integer buf
---@return integer window
function M.float(lines, frame)
  local buf = vim.api.nvim_create_buf(false, true)
  fill(buf, lines, { "q", "<Esc>", "<C-c>" })
  local width = vim.api.nvim_strwidth(frame.title)
  for _, line in ipairs(vim.list_extend({ frame.footer }, lines)) do
    width = math.max(width, vim.api.nvim_strwidth(line) + 1)
  end
  local place = { relative = "editor", width = math.min(width, WIDEST, vim.o.columns - 4), height = 1, row = 0 }
  place.col = math.floor((vim.o.columns - place.width) / 2) - 1
  frame = vim.tbl_extend("error", frame, { style = "minimal", border = "rounded", title_pos = "center" })
  frame.footer_pos = frame.footer and "center"
  local window = vim.api.nvim_open_win(buf, true, vim.tbl_extend("error", place, frame))
  local wo = vim.wo[window]
  wo.wrap, wo.linebreak, wo.breakindent, wo.breakindentopt = true, true, true, "shift:3"
  place.height = math.max(1, math.min(vim.api.nvim_win_text_height(window, {}).all, vim.o.lines - 6))
  place.row = math.max(0, math.floor((vim.o.lines - place.height) / 2) - 1)
  vim.api.nvim_win_set_config(window, place)
  vim.api.nvim_create_autocmd("WinLeave", {
    buffer = buf,
    callback = vim.schedule_wrap(function()
      pcall(vim.api.nvim_win_close, window, true)
    end),
  })
  return buf, window
end

return M
