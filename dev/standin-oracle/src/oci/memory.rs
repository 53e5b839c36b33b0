//! The client's buffers: values, indicators and lengths.

#![allow(unsafe_code)]

/// An indicator that says NULL.
const NULL: i16 = -1;

/// Buffers that the client has lent for the life of a statement.
///
/// Whoever makes one promises that the pointers stay good for as long as the statement runs or
/// fetches: that is the contract of `OCIBindByPos2` and `OCIDefineByPos2`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Memory {
    value: *mut u8,
    size: usize,
    indicator: *mut i16,
    length: *mut u32,
    codes: *mut u16,
}

impl Memory {
    /// # Safety
    /// `value` points to values of `size` bytes each, the others are null or point to as many.
    pub(super) unsafe fn new(
        value: *mut u8,
        size: usize,
        indicator: *mut i16,
        length: *mut u32,
        codes: *mut u16,
    ) -> Self {
        Self { value, size, indicator, length, codes }
    }

    pub(super) fn size(self) -> usize {
        self.size
    }

    pub(super) fn is_null(self) -> bool {
        // SAFETY: see the type; the first element is always there.
        self.value.is_null()
            || (!self.indicator.is_null() && unsafe { self.indicator.read_unaligned() } == NULL)
    }

    /// The first value.
    pub(super) fn value(self) -> Vec<u8> {
        let mut size = self.size;
        if !self.length.is_null() {
            // SAFETY: see the type.
            let length = unsafe { self.length.read_unaligned() };
            size = size.min(usize::try_from(length).unwrap_or(size));
        }
        // SAFETY: see the type; `size` is at most the size of a value.
        unsafe { std::slice::from_raw_parts(self.value, size) }.to_vec()
    }

    /// Writes a value that is at most `size` bytes long.
    pub(super) fn set(self, index: usize, bytes: &[u8]) {
        if self.value.is_null() {
            return;
        }
        let count = bytes.len().min(self.size);
        // SAFETY: see the type; the caller's array has at least `index + 1` elements.
        unsafe {
            self.value.add(index * self.size).copy_from_nonoverlapping(bytes.as_ptr(), count)
        };
        self.indicate(index, 0);
        if !self.length.is_null() {
            // SAFETY: as above.
            unsafe {
                self.length.add(index).write_unaligned(u32::try_from(count).unwrap_or(u32::MAX))
            };
        }
    }

    pub(super) fn set_null(self, index: usize) {
        self.indicate(index, NULL);
    }

    /// Says whether there is a value, and that it came over whole.
    fn indicate(self, index: usize, value: i16) {
        if !self.codes.is_null() {
            // SAFETY: as above.
            unsafe { self.codes.add(index).write_unaligned(0) };
        }
        if !self.indicator.is_null() {
            // SAFETY: as above.
            unsafe { self.indicator.add(index).write_unaligned(value) };
        }
    }
}
