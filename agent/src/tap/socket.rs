//! A packet socket (packet(7)): the one place here that talks to the system without a library between.

use crate::limits::TAP_RECEIVE_BYTES;
use std::ffi::CString;
use std::io;
use std::mem::{size_of, zeroed};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// Why an interface can't be read.
#[derive(Debug, thiserror::Error)]
pub enum TapError {
    /// It isn't there.
    #[error("there is no interface {0}; 没有这个网络接口")]
    NoInterface(String),
    /// The system doesn't let us.
    #[error(
        "reading an interface needs CAP_NET_RAW: run as root, or `setcap cap_net_raw+ep` the program; 需要 CAP_NET_RAW 权限"
    )]
    NotPermitted,
    /// Its packets have a header that isn't known here.
    #[error("interface {name} has packets of hardware type {kind}, which aren't read")]
    Link {
        /// The interface.
        name: String,
        /// `ARPHRD_…`.
        kind: u16,
    },
    /// The system's own error.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// A packet as it passed.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// Link type (`LINKTYPE_…` of tcpdump).
    pub link: i32,
    /// The packet from its link header on.
    pub data: &'a [u8],
}

/// Packets that weren't read in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped(pub u64);

/// An interface that is listened to.
#[derive(Debug)]
pub struct Tap {
    socket: OwnedFd,
    name: String,
    buffer: Vec<u8>,
    dropped: u64,
}

impl Tap {
    /// Listens to `interface`.
    ///
    /// # Errors
    /// [`TapError`].
    pub fn open(interface: &str) -> Result<Self, TapError> {
        let missing = || TapError::NoInterface(interface.to_owned());
        let name = CString::new(interface).map_err(|_| missing())?;
        // SAFETY: a plain call without pointers; what it returns is checked.
        let fd = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
        if fd < 0 {
            let error = io::Error::last_os_error();
            let denied = error.kind() == io::ErrorKind::PermissionDenied;
            return Err(if denied { TapError::NotPermitted } else { TapError::Io(error) });
        }
        // SAFETY: the call above gave this descriptor to us, and nobody else has it.
        let socket = unsafe { OwnedFd::from_raw_fd(fd) };
        // SAFETY: the name ends with NUL and lives through the call.
        let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
        let index = i32::try_from(index).ok().filter(|index| *index > 0).ok_or_else(missing)?;
        let tap = Self {
            socket,
            name: interface.to_owned(),
            buffer: vec![0; yumen_capture::limits::PACKET_BYTES_MAX],
            dropped: 0,
        };
        // What is read waits at most so long, so that whoever reads can see that it is to end.
        tap.set(libc::SO_RCVTIMEO, &libc::timeval { tv_sec: 0, tv_usec: WAIT_MAX_US })?;
        // More than the system's limit needs a capability; without it the system takes its limit.
        if tap.set(libc::SO_RCVBUFFORCE, &TAP_RECEIVE_BYTES).is_err() {
            tap.set(libc::SO_RCVBUF, &TAP_RECEIVE_BYTES)?;
        }
        tap.bind(index)?;
        Ok(tap)
    }

    /// The next packet; `None` where none came for a moment.
    ///
    /// # Errors
    /// [`TapError::Link`], [`TapError::Io`]: the interface is gone, for instance.
    pub fn receive(&mut self) -> Result<Option<Arrival<'_>>, TapError> {
        // SAFETY: all zeros is a valid address of this kind.
        let mut from: libc::sockaddr_ll = unsafe { zeroed() };
        let mut length = socklen::<libc::sockaddr_ll>();
        // SAFETY: the buffer is writable for as long as it says, and so is the address, whose length is given.
        let received = unsafe {
            libc::recvfrom(
                self.socket.as_raw_fd(),
                self.buffer.as_mut_ptr().cast(),
                self.buffer.len(),
                0,
                std::ptr::from_mut(&mut from).cast(),
                &raw mut length,
            )
        };
        let Ok(received) = usize::try_from(received) else {
            let error = io::Error::last_os_error();
            return match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(None),
                _ => Err(error.into()),
            };
        };
        // On loopback every packet passes twice: as it leaves, and as it comes.
        let is_loopback = from.sll_hatype == libc::ARPHRD_LOOPBACK;
        if is_loopback && from.sll_pkttype == libc::PACKET_OUTGOING {
            return Ok(None);
        }
        let link = match from.sll_hatype {
            libc::ARPHRD_ETHER | libc::ARPHRD_LOOPBACK => ETHERNET,
            libc::ARPHRD_NONE | libc::ARPHRD_PPP | libc::ARPHRD_TUNNEL => RAW_IP,
            kind => return Err(TapError::Link { name: self.name.clone(), kind }),
        };
        Ok(Some(Arrival { link, data: self.buffer.get(..received).unwrap_or_default() }))
    }

    /// What was dropped since it was opened.
    pub fn dropped(&mut self) -> Dropped {
        // SAFETY: all zeros is a valid value.
        let mut statistics: libc::tpacket_stats = unsafe { zeroed() };
        let mut length = socklen::<libc::tpacket_stats>();
        // SAFETY: the value is writable, and its length is given.
        let answered = unsafe {
            libc::getsockopt(
                self.socket.as_raw_fd(),
                libc::SOL_PACKET,
                libc::PACKET_STATISTICS,
                std::ptr::from_mut(&mut statistics).cast(),
                &raw mut length,
            )
        };
        // Asking sets the system's count back.
        if answered == 0 {
            self.dropped += u64::from(statistics.tp_drops);
        }
        Dropped(self.dropped)
    }

    fn set<T>(&self, option: libc::c_int, value: &T) -> io::Result<()> {
        // SAFETY: the value is readable, and its length is given.
        let answered = unsafe {
            libc::setsockopt(
                self.socket.as_raw_fd(),
                libc::SOL_SOCKET,
                option,
                std::ptr::from_ref(value).cast(),
                socklen::<T>(),
            )
        };
        if answered == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    fn bind(&self, index: i32) -> io::Result<()> {
        // SAFETY: all zeros is a valid address of this kind.
        let mut address: libc::sockaddr_ll = unsafe { zeroed() };
        address.sll_family = u16::try_from(libc::AF_PACKET).unwrap_or_default();
        address.sll_protocol = ETH_P_ALL.to_be();
        address.sll_ifindex = index;
        // SAFETY: the address is readable, and its length is given.
        let answered = unsafe {
            libc::bind(
                self.socket.as_raw_fd(),
                std::ptr::from_ref(&address).cast(),
                socklen::<libc::sockaddr_ll>(),
            )
        };
        if answered == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }
}

fn socklen<T>() -> libc::socklen_t {
    libc::socklen_t::try_from(size_of::<T>()).unwrap_or_default()
}

/// Every protocol.
const ETH_P_ALL: u16 = 3;
const ETHERNET: i32 = 1;
const RAW_IP: i32 = 101;

/// How long [`Tap::next`] waits.
const WAIT_MAX_US: libc::suseconds_t = 200_000;
